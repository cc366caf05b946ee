/** Collects the chunks of a body up to a limit, and holds no more than that. */
export class Chunks {
  readonly #maxBytes: number
  readonly #chunks: Uint8Array[] = []
  #length = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Whether it still fits. */
  add(chunk: Uint8Array): boolean {
    this.#length += chunk.length
    if (this.#length > this.#maxBytes) return false
    this.#chunks.push(chunk)
    return true
  }

  bytes(): Uint8Array {
    if (this.#chunks.length === 1) return this.#chunks[0] as Uint8Array
    const bytes = new Uint8Array(this.#length)
    let at = 0
    for (const chunk of this.#chunks) {
      bytes.set(chunk, at)
      at += chunk.length
    }
    return bytes
  }
}

/** Whether the announced length is above the limit, so that nothing needs to be read. */
export function announcesMore(contentLength: string | null | undefined, maxBytes: number): boolean {
  return contentLength != null && Number(contentLength) > maxBytes
}
