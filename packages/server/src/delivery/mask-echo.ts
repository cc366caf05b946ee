import type { AttemptOutcome } from '../core/attempt-outcome.ts'

const MASK = '•••'
/** Shorter ones are words that an answer may hold anyway. */
const LEAST_LENGTH = 6

/** The ways in which a receiver may echo header values: `Bearer x` as a whole or as `x`. @param values printable ASCII */
export function echoesOf(values: readonly string[]): string[] {
  const spellings = values.flatMap((value) => {
    const [, rest] = /^\S+ (\S+)$/.exec(value) ?? []
    return rest === undefined ? [value] : [value, rest]
  })
  return spellings.filter((value) => value.length >= LEAST_LENGTH)
}

/**
 * An outcome without the endpoint's own header values: a receiver that answers with the request it got would put them on record.
 * Where the kept part of the answer ends within one, the beginning of it goes too.
 * @param echoes from `echoesOf`
 */
export function maskEcho(outcome: AttemptOutcome, echoes: readonly string[]): AttemptOutcome {
  if (outcome.kind !== 'response' || echoes.length === 0) return outcome
  const excerpt = excerptOf(outcome, echoes)
  const texts = Object.entries(outcome.headers)
  const isClean = !texts.some(([, text]) => echoes.some((value) => text.includes(value)))
  if (excerpt === outcome.excerpt && isClean) return outcome
  const headers = Object.fromEntries(texts.map(([name, text]): [string, string] => [name, masked(text, echoes)]))
  return { ...outcome, headers, excerpt }
}

function masked(text: string, values: readonly string[]): string {
  return values.reduce((left, value) => left.replaceAll(value, MASK), text)
}

function excerptOf(
  { excerpt, truncated }: Extract<AttemptOutcome, { kind: 'response' }>,
  values: readonly string[],
): Uint8Array {
  const bytes = Buffer.from(excerpt.buffer, excerpt.byteOffset, excerpt.length)
  if (!truncated && !values.some((value) => bytes.includes(value, 0, 'latin1'))) return excerpt
  // One byte a character, so that whatever else is in there comes out as it went in.
  const text = bytes.toString('latin1')
  const tail = truncated ? Math.max(...values.map((value) => tailLength(text, value))) : 0
  if (tail === 0 && !values.some((value) => text.includes(value))) return excerpt
  const kept = tail === 0 ? text : text.slice(0, -tail)
  const mask = Buffer.from(MASK).toString('latin1')
  const whole = values.reduce((left, value) => left.replaceAll(value, mask), kept) + (tail === 0 ? '' : mask)
  return new Uint8Array(Buffer.from(whole, 'latin1'))
}

/** How much of the end of a text is the beginning of a value. */
function tailLength(text: string, value: string): number {
  for (let length = Math.min(value.length, text.length); length >= LEAST_LENGTH; length--) {
    if (text.endsWith(value.slice(0, length))) return length
  }
  return 0
}
