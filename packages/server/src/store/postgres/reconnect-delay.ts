import { setTimeout as sleep } from 'node:timers/promises'
import { StoreUnavailable } from '../store.ts'

const FIRST_MS = 50
const MAX_MS = 2000
const CONFLICT_MS = 5

/**
 * How often a database that is away is tried: while it is, calls fail at once instead of each waiting for a connection, and one
 * of them tries again after a time that doubles up to 2 s, with jitter, so that not all nodes come back in the same moment.
 */
export class ReconnectDelay {
  #failures = 0
  /** `performance.now()` */
  #notBefore = 0

  /** @throws StoreUnavailable where it is too early to try again */
  check(): void {
    if (this.#failures > 0 && performance.now() < this.#notBefore) {
      throw new StoreUnavailable('unavailable', 'the database cannot be reached; trying again in a moment')
    }
  }

  succeeded(): void {
    this.#failures = 0
  }

  failed(): void {
    const now = performance.now()
    // Those that were waiting for the same connection are one failure.
    if (this.#failures > 0 && now < this.#notBefore) return
    this.#failures += 1
    this.#notBefore = now + Math.min(MAX_MS, FIRST_MS * 2 ** (this.#failures - 1)) * (0.5 + Math.random() / 2)
  }

  /** Waits before a transaction is run again that got into another one's way. */
  pause(tries: number): Promise<void> {
    return sleep(CONFLICT_MS * 2 ** Math.min(tries, 6) * Math.random())
  }
}
