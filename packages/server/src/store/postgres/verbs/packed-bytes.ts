/**
 * Bytes of many rows as one parameter, of which a statement cuts its pieces with `substring(… FROM offset FOR length)`: an array
 * of BYTEA would travel as text, twice as long.
 */
export class PackedBytes {
  readonly #parts: Uint8Array[] = []
  #length = 0

  /** Where the part begins, from 1 as SQL counts. */
  add(part: Uint8Array): number {
    const start = this.#length + 1
    this.#parts.push(part)
    this.#length += part.length
    return start
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#parts, this.#length)
  }
}
