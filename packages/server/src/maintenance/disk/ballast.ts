import { randomBytes } from 'node:crypto'
import { open, rm, stat } from 'node:fs/promises'

/** Written in pieces of this size, the same random bytes each time: nothing that a file system could keep in less space. */
const PIECE_BYTES = 1024 * 1024

/**
 * A file that only takes up space. On a full disk SQLite in WAL mode can neither delete nor checkpoint; with this file gone it can,
 * and what was in flight can be put on record (guarantee G15).
 */
export class Ballast {
  readonly bytes: number
  readonly #path: string

  constructor(path: string, bytes: number) {
    this.#path = path
    this.bytes = bytes
  }

  async exists(): Promise<boolean> {
    try {
      return (await stat(this.#path)).size === this.bytes
    } catch {
      return false
    }
  }

  /** `false`: there is no space for it. A part of it is never left. */
  async make(): Promise<boolean> {
    try {
      await this.#write()
      return true
    } catch {
      await this.release()
      return false
    }
  }

  async release(): Promise<void> {
    await rm(this.#path, { force: true })
  }

  async #write(): Promise<void> {
    const file = await open(this.#path, 'w', 0o600)
    try {
      const piece = randomBytes(Math.min(PIECE_BYTES, this.bytes))
      for (let left = this.bytes; left > 0; left -= piece.length) {
        await file.write(piece, 0, Math.min(left, piece.length))
      }
      await file.sync()
    } finally {
      await file.close()
    }
  }
}
