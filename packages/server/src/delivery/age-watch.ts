import type { Clock } from '../core/clock.ts'
import type { Claim } from '../store/rows.ts'
import type { Lane } from './lane.ts'

/** A request that has not been answered for so long makes its endpoint a slow one. */
export const SLOW_AFTER_MS = 500
const LOOK_EVERY_MS = 100

interface Sent {
  lane: Lane
  since: number
}

/** Sees which requests are not answered soon. One timer for all of them, and none when nothing is under way. */
export class AgeWatch {
  readonly #clock: Clock
  readonly #onSlow: (lanes: Set<Lane>) => void
  /** Oldest first. */
  readonly #sent = new Map<Claim, Sent>()
  #cancelTimer: (() => void) | null = null

  constructor(clock: Clock, onSlow: (lanes: Set<Lane>) => void) {
    this.#clock = clock
    this.#onSlow = onSlow
  }

  began(claim: Claim, lane: Lane): void {
    this.#sent.set(claim, { lane, since: this.#clock.monotonic() })
    this.#cancelTimer ??= this.#clock.after(LOOK_EVERY_MS, () => this.#look())
  }

  /** @returns whether the answer came soon; `null`: nobody asked about this one */
  answered(claim: Claim): boolean | null {
    const sent = this.#sent.get(claim)
    if (sent === undefined) return null
    this.#sent.delete(claim)
    return this.#clock.monotonic() - sent.since < SLOW_AFTER_MS
  }

  stop(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = null
  }

  #look(): void {
    this.#cancelTimer = null
    const now = this.#clock.monotonic()
    const slow = new Set<Lane>()
    for (const { lane, since } of this.#sent.values()) {
      if (now - since < SLOW_AFTER_MS) break
      if (!lane.isSlow) slow.add(lane)
    }
    if (slow.size > 0) this.#onSlow(slow)
    if (this.#sent.size > 0) this.#cancelTimer = this.#clock.after(LOOK_EVERY_MS, () => this.#look())
  }
}
