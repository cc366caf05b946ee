import type { Claim, DuplicateStore } from './duplicate-store.ts'

export interface MemoryDuplicateStoreOptions {
  /** Events remembered at most, about 150 bytes each; the oldest done ones are forgotten first. 1 or more. @default 100000 */
  maxEntries?: number
  /**
   * How long a done event is remembered, in milliseconds. Longer than the sender retries: Runbell's default schedule
   * ends after about three days. @default 604800000 (7 days)
   */
  retentionMs?: number
  /** The time in milliseconds since 1970. @default Date.now */
  now?: () => number
}

const DAY_MS = 24 * 60 * 60 * 1000

/** Remembers handled events in this process only: a restart forgets them, a second process does not know them. */
export class MemoryDuplicateStore implements DuplicateStore {
  readonly #maxEntries: number
  readonly #retentionMs: number
  readonly #now: () => number
  /** Until when, by id. Both keep the order of insertion. */
  readonly #claimed = new Map<string, number>()
  readonly #done = new Map<string, number>()

  /** @throws TypeError for a `maxEntries` below 1 or a `retentionMs` that is not above 0 */
  constructor(options: MemoryDuplicateStoreOptions = {}) {
    this.#maxEntries = options.maxEntries ?? 100_000
    this.#retentionMs = options.retentionMs ?? 7 * DAY_MS
    this.#now = options.now ?? Date.now
    if (!(this.#maxEntries >= 1)) throw new TypeError('maxEntries is 1 or more')
    if (!(this.#retentionMs > 0)) throw new TypeError('retentionMs is above 0')
  }

  /** How many events are remembered. */
  get size(): number {
    return this.#claimed.size + this.#done.size
  }

  async claim(id: string, ttlMs: number): Promise<Claim> {
    const now = this.#now()
    this.#forgetExpired(now)
    if (isAfter(this.#done.get(id), now)) return 'done'
    if (isAfter(this.#claimed.get(id), now)) return 'busy'
    this.#claimed.delete(id)
    // Full of work that is going on: coming back later is safe, forgetting a claim is not.
    if (!this.#makeRoom(now)) return 'busy'
    this.#claimed.set(id, now + ttlMs)
    return 'claimed'
  }

  async done(id: string): Promise<void> {
    const now = this.#now()
    this.#claimed.delete(id)
    this.#done.delete(id)
    this.#makeRoom(now)
    this.#done.set(id, now + this.#retentionMs)
  }

  async release(id: string): Promise<void> {
    this.#claimed.delete(id)
  }

  /** Done events expire in the order they came; the first that has not ends the search. */
  #forgetExpired(now: number): void {
    for (const [id, until] of this.#done) {
      if (until > now) return
      this.#done.delete(id)
    }
  }

  #makeRoom(now: number): boolean {
    if (this.size < this.#maxEntries) return true
    for (const [id, until] of this.#claimed) {
      if (until <= now) this.#claimed.delete(id)
    }
    for (const id of this.#done.keys()) {
      if (this.size < this.#maxEntries) break
      this.#done.delete(id)
    }
    return this.size < this.#maxEntries
  }
}

function isAfter(until: number | undefined, now: number): boolean {
  return until !== undefined && until > now
}
