import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../core/clock.ts'

/** What holds the event loop up for longer gives others their turn. */
const SLICE_MS = 8

/** Breaks long work into slices, between which everything else goes on. */
export class Breath {
  readonly #clock: Pick<Clock, 'monotonic'>
  #since: number

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
    this.#since = clock.monotonic()
  }

  isDue(): boolean {
    return this.#clock.monotonic() - this.#since >= SLICE_MS
  }

  async take(): Promise<void> {
    await setImmediate()
    this.#since = this.#clock.monotonic()
  }
}
