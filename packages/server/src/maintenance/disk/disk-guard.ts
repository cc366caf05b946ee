import type { Ballast } from './ballast.ts'

/**
 * ```
 * ok ──free < low water──▶ low ──free < a quarter of it, or a write that failed──▶ full
 *  ▲                        │ free again, and a tenth more                          │ free again, and room for the ballast
 *  └────────────────────────┴───────────────────────────────────────────────────────┘
 * ```
 * `low`: nothing new is accepted; what was accepted goes on. `full`: no attempt starts either, and the ballast is gone, so that
 * what is in flight can be put on record and what is old be removed.
 */
export type DiskState = 'ok' | 'low' | 'full'

export interface DiskGuardOptions {
  /** What the system says is free for us. */
  freeBytes(): Promise<number>
  ballast: Pick<Ballast, 'bytes' | 'exists' | 'make' | 'release'>
  /** Below this nothing new is accepted. */
  lowWaterBytes: number
  onChange(state: DiskState, freeBytes: number): void
}

/** Keeps the last space of a disk for what has been accepted (guarantee G15). */
export class DiskGuard {
  readonly #options: DiskGuardOptions
  #state: DiskState = 'ok'
  #writeFailed = false

  constructor(options: DiskGuardOptions) {
    this.#options = options
  }

  get state(): DiskState {
    return this.#state
  }

  /** A write found no space, whatever the system says is free: a quota, say. Nothing new is accepted from now on. */
  writeFailed(): void {
    this.#writeFailed = true
    this.#state = 'full'
  }

  /** Looks before anything is written: where nothing is free the ballast makes room for a start. */
  async look(): Promise<void> {
    const { ballast, lowWaterBytes } = this.#options
    const free = await this.#options.freeBytes()
    if (free >= lowWaterBytes) return
    if (free < lowWaterBytes / 4) await ballast.release()
    this.#enter(free < lowWaterBytes / 4 ? 'full' : 'low', free)
  }

  /** Looks, and makes or removes the ballast. */
  async runOnce(): Promise<DiskState> {
    const { ballast, lowWaterBytes } = this.#options
    const free = await this.#options.freeBytes()
    const failed = this.#writeFailed
    this.#writeFailed = false
    if (failed || free < lowWaterBytes / 4) {
      await ballast.release()
      this.#enter('full', free)
    } else if (this.#state === 'full') {
      if (free >= lowWaterBytes + ballast.bytes && (await ballast.make())) this.#enter('ok', free)
    } else if (free < lowWaterBytes) {
      this.#enter('low', free)
    } else if (this.#state === 'ok' || free >= lowWaterBytes * 1.1) {
      if (free >= lowWaterBytes + ballast.bytes && !(await ballast.exists())) await ballast.make()
      this.#enter('ok', free)
    }
    return this.#state
  }

  #enter(state: DiskState, free: number): void {
    // A write may have failed while the ballast was being made.
    if (this.#writeFailed) return
    const changed = this.#known !== state
    this.#state = this.#known = state
    if (changed) this.#options.onChange(state, free)
  }

  /** The last state that was told. */
  #known: DiskState = 'ok'
}
