/** Code units turned into a string at a time; V8 refuses argument lists of about 120,000. */
const CHUNK = 2_048

const units = new Uint16Array(CHUNK)

/**
 * Length of the UTF-8 sequence at `at`: 1 to 4 when it is well formed (RFC 3629: no overlong form, no surrogate,
 * nothing above U+10FFFF), else minus the number of bytes one U+FFFD stands for (Unicode 3.9, maximal subpart: 1 to 3).
 */
export function utf8SequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at] as number
  if (lead < 0x80) return 1
  if (lead < 0xc2 || lead > 0xf4) return -1
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
  // Only the second byte's range depends on the lead: it is what shuts out overlong forms, surrogates and > U+10FFFF.
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
  if (at + 1 >= end) return -1
  const second = bytes[at + 1] as number
  if (second < low || second > high) return -1
  for (let index = 2; index < length; index += 1) {
    if (at + index >= end || ((bytes[at + index] as number) & 0xc0) !== 0x80) return -index
  }
  return length
}

/** The code point of a sequence that {@link utf8SequenceLength} found well formed. */
function codePointOf(bytes: Uint8Array, at: number, length: number): number {
  const lead = bytes[at] as number
  if (length === 1) return lead
  const second = (bytes[at + 1] as number) & 0x3f
  if (length === 2) return ((lead & 0x1f) << 6) | second
  const third = (bytes[at + 2] as number) & 0x3f
  if (length === 3) return ((lead & 0x0f) << 12) | (second << 6) | third
  return ((lead & 0x07) << 18) | (second << 12) | (third << 6) | ((bytes[at + 3] as number) & 0x3f)
}

function stringOfUnits(list: Uint8Array | Uint16Array): string {
  // `apply` takes any array-like; its type knows only number[].
  return String.fromCharCode.apply(null, list as unknown as number[])
}

/**
 * Up to here sixteen characters a call beat a call with a list: 41 ns against 195 at 16 bytes, 2.8 µs against 4.2 at 1
 * KB.
 */
const UNROLLED = 1_024

/** The text of bytes that are all below 0x80; above that, Latin-1. */
export function decodeAscii(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  let at = start
  if (end - start > UNROLLED) {
    for (; at < end; at += CHUNK) text += stringOfUnits(bytes.subarray(at, Math.min(at + CHUNK, end)))
    return text
  }
  // oxfmt-ignore
  for (; at + 16 <= end; at += 16) {
    text += String.fromCharCode(
      bytes[at] as number, bytes[at + 1] as number, bytes[at + 2] as number, bytes[at + 3] as number,
      bytes[at + 4] as number, bytes[at + 5] as number, bytes[at + 6] as number, bytes[at + 7] as number,
      bytes[at + 8] as number, bytes[at + 9] as number, bytes[at + 10] as number, bytes[at + 11] as number,
      bytes[at + 12] as number, bytes[at + 13] as number, bytes[at + 14] as number, bytes[at + 15] as number,
    )
  }
  // oxfmt-ignore
  for (; at + 4 <= end; at += 4) {
    text += String.fromCharCode(
      bytes[at] as number, bytes[at + 1] as number, bytes[at + 2] as number, bytes[at + 3] as number,
    )
  }
  for (; at < end; at += 1) text += String.fromCharCode(bytes[at] as number)
  return text
}

function decodeMixed(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  let used = 0
  for (let at = start; at < end;) {
    // A pair may follow: keep two places free.
    if (used > CHUNK - 2) {
      text += stringOfUnits(units.subarray(0, used))
      used = 0
    }
    const length = utf8SequenceLength(bytes, at, end)
    const point = length > 0 ? codePointOf(bytes, at, length) : 0xfffd
    at += length > 0 ? length : -length
    if (point > 0xffff) {
      units[used] = 0xd800 + ((point - 0x10000) >> 10)
      units[used + 1] = 0xdc00 + (point & 0x3ff)
      used += 2
    } else {
      units[used] = point
      used += 1
    }
  }
  return text + stringOfUnits(units.subarray(0, used))
}

/**
 * The text of `bytes` from `start` to before `end`, as `new TextDecoder('utf-8', {ignoreBOM: true})` would give it:
 * what is not well-formed UTF-8 becomes U+FFFD, a byte order mark stays. Never throws; spans the scanner accepted are
 * exact.
 */
export function decodeUtf8(bytes: Uint8Array, start = 0, end = bytes.length): string {
  for (let at = start; at < end; at += 1) {
    if ((bytes[at] as number) > 0x7f) return decodeMixed(bytes, start, end)
  }
  return decodeAscii(bytes, start, end)
}
