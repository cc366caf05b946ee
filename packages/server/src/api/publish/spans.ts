import type { JsonSpan } from '../../core/json-split.ts'

const NEWLINE = 0x0a

/** JSON's white space (RFC 8259, section 2). */
function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

/** The bytes without outer white space: what a fingerprint is made of (details 4). */
export function trimSpace(bytes: Uint8Array): Uint8Array {
  let start = 0
  let end = bytes.length
  while (start < end && isSpace(bytes[start])) start++
  while (end > start && isSpace(bytes[end - 1])) end--
  return start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end)
}

/** The lines of NDJSON that are not blank; `null`: more than `maxLines`. */
export function splitLines(bytes: Uint8Array, maxLines: number): JsonSpan[] | null {
  const spans: JsonSpan[] = []
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, start)
    const end = newline === -1 ? bytes.length : newline
    const line = trimSpace(bytes.subarray(start, end))
    if (line.length > 0) {
      if (spans.length === maxLines) return null
      const from = line.byteOffset - bytes.byteOffset
      spans.push({ start: from, end: from + line.length })
    }
    start = end + 1
  }
  return spans
}
