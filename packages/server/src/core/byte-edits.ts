/** Text as UTF-8; there are no lone surrogates in it. */
export function utf8Bytes(text: string): Uint8Array {
  const bytes: number[] = []
  for (const character of text) {
    const code = character.codePointAt(0) as number
    if (code < 0x80) bytes.push(code)
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63))
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
  }
  return new Uint8Array(bytes)
}

/** A span of bytes and what stands there afterwards; `null`: nothing. */
export interface ByteEdit {
  start: number
  end: number
  text: Uint8Array | null
}

/**
 * The bytes from `from` to before `to` with these edits: in rising order, not overlapping, at offsets of `bytes`. What no edit
 * touches stays as it is.
 */
export function applyEdits(bytes: Uint8Array, from: number, to: number, edits: readonly ByteEdit[]): Uint8Array {
  let length = to - from
  for (const { start, end, text } of edits) length += (text?.length ?? 0) - (end - start)
  const result = new Uint8Array(length)
  let read = from
  let write = 0
  for (const { start, end, text } of edits) {
    result.set(bytes.subarray(read, start), write)
    write += start - read
    if (text !== null) {
      result.set(text, write)
      write += text.length
    }
    read = end
  }
  result.set(bytes.subarray(read, to), write)
  return result
}
