import type { BodyChange } from './verification.ts'

/** Above this a wrong signature is not explained: each idea costs a signature over the whole body. */
export const MAX_EXPLAINED_BYTES = 256 * 1024

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
  const unix = body.filter((byte, index) => byte !== CR || body[index + 1] !== LF)
  if (unix.length < body.length) yield { change: 'lf_became_crlf', original: unix }
  if (unix.includes(LF)) yield { change: 'crlf_became_lf', original: withCrLf(unix) }
  yield* decodedBodies(body)
}

/** The changes that need the text of the body. */
function* decodedBodies(body: Uint8Array): Generator<{ change: BodyChange; original: Uint8Array }> {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    // Not UTF-8: each byte is a character of Latin-1, which the sender had in UTF-8.
    const characters = Array.from(body, (byte) => String.fromCharCode(byte))
    yield { change: 'utf8_sent_as_latin1', original: encoder.encode(characters.join('')) }
    return
  }
  const codes = Array.from(text, (character) => character.codePointAt(0) as number)
  if (codes.length < body.length && codes.every((code) => code <= 0xff)) {
    yield { change: 'utf8_read_as_latin1', original: Uint8Array.from(codes) }
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

function withCrLf(unix: Uint8Array): Uint8Array {
  const lines = unix.reduce((count, byte) => count + (byte === LF ? 1 : 0), 0)
  const bytes = new Uint8Array(unix.length + lines)
  let at = 0
  for (const byte of unix) {
    if (byte === LF) bytes[at++] = CR
    bytes[at++] = byte
  }
  return bytes
}
