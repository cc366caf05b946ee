import type { BodyChange } from './verification.ts'

/**
 * Above this a wrong signature is not explained: each idea costs a signature over the whole body, and anyone can send
 * wrong signatures. 64 KiB take about 3 ms; bodies of events are seldom above 20 KB.
 */
export const MAX_EXPLAINED_BYTES = 64 * 1024

const CR = 0x0d
const LF = 0x0a
const BOM = [0xef, 0xbb, 0xbf]

const encoder = new TextEncoder()

/** What the body may have been before something on its way changed it. */
export function* originalBodies(body: Uint8Array): Generator<{ change: BodyChange; original: Uint8Array }> {
  if (BOM.every((byte, index) => body[index] === byte)) {
    yield { change: 'bom_added', original: body.subarray(BOM.length) }
  } else {
    yield { change: 'bom_removed', original: joined(BOM, body) }
  }
  if (body.at(-1) === LF) {
    yield { change: 'final_newline_added', original: body.subarray(0, body.at(-2) === CR ? -2 : -1) }
  } else {
    yield { change: 'final_newline_removed', original: joined(body, [LF]) }
  }
  yield* decodedBodies(body)
}

/** The changes that need the text of the body. */
function* decodedBodies(body: Uint8Array): Generator<{ change: BodyChange; original: Uint8Array }> {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch {
    // Not UTF-8: each byte is a character of Latin-1, which the sender had in UTF-8.
    const characters = Array.from(body, (byte) => String.fromCharCode(byte))
    yield { change: 'utf8_sent_as_latin1', original: encoder.encode(characters.join('')) }
    return
  }
  const unix = text.replaceAll('\r\n', '\n')
  if (unix !== text) yield { change: 'lf_became_crlf', original: encoder.encode(unix) }
  if (unix.includes('\n')) yield { change: 'crlf_became_lf', original: encoder.encode(unix.replaceAll('\n', '\r\n')) }
  // Fewer characters than bytes: some are outside of ASCII; all of them are in Latin-1.
  if (text.length < body.length && !/[^\0-\xff]/.test(text)) {
    const original = new Uint8Array(text.length)
    for (let index = 0; index < text.length; index++) original[index] = text.charCodeAt(index)
    yield { change: 'utf8_read_as_latin1', original }
  }
  const compact = compactJson(text)
  if (compact !== null && compact !== text) yield { change: 'json_reformatted', original: encoder.encode(compact) }
}

/** What `JSON.stringify` makes of the text; most senders' bytes look like this when someone else has indented them. */
function compactJson(text: string): string | null {
  try {
    return JSON.stringify(JSON.parse(text))
  } catch {
    return null
  }
}

function joined(first: ArrayLike<number>, second: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length)
  bytes.set(first)
  bytes.set(second, first.length)
  return bytes
}
