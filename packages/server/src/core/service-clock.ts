import { DAY } from './schedule.ts'

/** Within this distance service time follows the wall clock; beyond it, it runs on at its own pace and warns. */
export const FOLLOW_WITHIN_MS = 5 * 60 * 1000
/** How much later than the persisted high-water mark a start may find the wall clock: longer is no outage but a wrong clock. */
export const LONGEST_OUTAGE_MS = 60 * DAY

/**
 * How much slower than monotonic time our own pace may get to meet a wall clock that is behind: enough for any two clocks
 * of a machine, and one that stands still or is put back again and again does not stop service time for good.
 */
const YIELD = 0.01

/**
 * Service time (details 26): the persisted high-water mark plus monotonic time, following the wall clock while that is
 * plausible. It never goes back, so due times, retention and recorded_at survive a wall clock that jumps a day or ten years.
 */
export class ServiceClock {
  #base: number
  #baseMonotonic: number
  #last: number
  #suspicious = false

  /** @param highWater the highest service time on record, 0 for none */
  constructor(highWater: number, wall: number, monotonic: number) {
    const plausible = highWater === 0 || (wall >= highWater && wall - highWater <= LONGEST_OUTAGE_MS)
    this.#suspicious = !plausible && Math.abs(wall - highWater) > FOLLOW_WITHIN_MS
    this.#base = plausible ? wall : highWater
    this.#baseMonotonic = monotonic
    this.#last = this.#base
  }

  /** Service time in ms, for these readings of the wall and the monotonic clock. */
  read(wall: number, monotonic: number): number {
    const elapsed = monotonic - this.#baseMonotonic
    const own = this.#base + elapsed
    const ahead = wall - own
    this.#suspicious = Math.abs(ahead) > FOLLOW_WITHIN_MS
    if (!this.#suspicious) {
      this.#base = own + Math.max(ahead, -elapsed * YIELD)
      this.#baseMonotonic = monotonic
    }
    this.#last = Math.max(this.#last, Math.floor(this.#suspicious ? own : wall))
    return this.#last
  }

  /** Whether the latest reading found the wall clock more than five minutes away. */
  get suspicious(): boolean {
    return this.#suspicious
  }
}
