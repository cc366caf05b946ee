/** `open`: nothing is sent. `half_open`: one attempt at a time finds out whether it works again. */
export type CircuitState = 'closed' | 'open' | 'half_open'

/** It opens after so many failures in a row, of so many deliveries, over so long (details 14): not for one bad event or one bad second. */
const FAILURES = 10
const DELIVERIES = 3
const SPAN_MS = 30_000
/** From one probe to the next; doubled by each that fails. */
const FIRST_INTERVAL_MS = 30_000
const LONGEST_INTERVAL_MS = 5 * 60_000

/**
 * Whether an endpoint that fails is still worth sending to (guarantee G18). Times are monotonic, in ms.
 *
 * ```
 * closed ──10 failures in a row, of 3 deliveries, over 30 s──▶ open ──interval──▶ half_open ──success──▶ closed
 *                                                               ▲                    │
 *                                                               └──failure: interval × 2
 * ```
 */
export class Circuit {
  #failures = 0
  #firstFailureAt = 0
  readonly #deliveries = new Set<string>()
  /** `null`: closed. */
  #openUntil: number | null = null
  #intervalMs = FIRST_INTERVAL_MS

  state(now: number): CircuitState {
    if (this.#openUntil === null) return 'closed'
    return now < this.#openUntil ? 'open' : 'half_open'
  }

  failed(deliveryId: string, now: number): void {
    if (this.#openUntil !== null) {
      // What was in flight when it opened says nothing new.
      if (now < this.#openUntil) return
      this.#intervalMs = Math.min(this.#intervalMs * 2, LONGEST_INTERVAL_MS)
      this.#openUntil = now + this.#intervalMs
      return
    }
    if (this.#failures === 0) this.#firstFailureAt = now
    this.#failures += 1
    if (this.#deliveries.size < DELIVERIES) this.#deliveries.add(deliveryId)
    const isEnough = this.#failures >= FAILURES && this.#deliveries.size >= DELIVERIES
    if (isEnough && now - this.#firstFailureAt >= SPAN_MS) this.#openUntil = now + this.#intervalMs
  }

  /** @returns whether it was open until now */
  succeeded(): boolean {
    const wasOpen = this.#openUntil !== null
    this.#failures = 0
    this.#deliveries.clear()
    this.#openUntil = null
    this.#intervalMs = FIRST_INTERVAL_MS
    return wasOpen
  }

  /** Attempts that may be in flight at once. */
  limit(now: number): number {
    const state = this.state(now)
    return state === 'closed' ? Infinity : state === 'open' ? 0 : 1
  }

  /** Until the next probe; 0: nothing has to be waited for. */
  waitMs(now: number): number {
    return this.#openUntil === null ? 0 : Math.max(0, this.#openUntil - now)
  }
}
