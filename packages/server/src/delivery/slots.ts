import type { Lane } from './lane.ts'

/** One in so many slots is for endpoints that are slow. */
const SLOW_SHARE = 5
/** What has just turned out to be slow may make it so many times the slots in all, until it ends. */
const MOST_IN_ALL = 4

/** Attempts of one endpoint that start at once, so that one backlog does not fill every slot. */
const MOST_OF_A_TURN = 32
/**
 * The slots for attempts in flight, over all endpoints: most for those that answer soon, the others for those that do not. A lane that
 * turns slow takes what it has in flight along, so that however many endpoints hang, the slots for all others are free at once
 * (guarantee G18); there are never more than four times as many in flight. With fewer than five slots in all there is no such division.
 */
export class Slots {
  readonly total: number
  readonly #fast: number
  readonly #slow: number
  #fastTaken = 0
  #slowTaken = 0
  /** Slow lanes that found no slot. */
  readonly #waiting = new Set<Lane>()

  constructor(total: number) {
    this.total = total
    this.#slow = Math.floor(total / SLOW_SHARE)
    this.#fast = total - this.#slow
  }

  get taken(): number {
    return this.#fastTaken + this.#slowTaken
  }

  /** Nothing that is not slow can start. */
  get isFull(): boolean {
    return this.#fastTaken >= this.#fast || this.taken >= this.total * MOST_IN_ALL
  }

  /**
   * How many attempts of one lane may start in a turn, with so many lanes in line: each its share. Whoever gets more in a turn needs a
   * connection for every request at once, waits for its next turn, and has lost them by then.
   */
  ofOneTurn(lanes: number): number {
    const share = Math.ceil((this.#fast - this.#fastTaken) / Math.max(1, lanes))
    return Math.min(MOST_OF_A_TURN, Math.max(1, share))
  }

  /** How many more attempts of this lane may start now. */
  free(lane: Lane): number {
    // Whoever has never answered gets one attempt, not several, once half of the slots are taken.
    if (this.#slow > 0 && !lane.hasAnswered && lane.inFlight > 0 && this.taken > this.total / 2) return 0
    const left = lane.isSlow ? this.#slow - this.#slowTaken : this.#fast - this.#fastTaken
    return Math.max(0, Math.min(left, this.total * MOST_IN_ALL - this.taken))
  }

  take(lane: Lane): void {
    if (lane.isSlow) this.#slowTaken += 1
    else this.#fastTaken += 1
  }

  giveBack(lane: Lane): void {
    if (lane.isSlow) this.#slowTaken -= 1
    else this.#fastTaken -= 1
  }

  /** Moves a lane with all it has in flight. */
  move(lane: Lane, isSlow: boolean): void {
    if (lane.isSlow === isSlow || this.#slow === 0) return
    lane.isSlow = isSlow
    this.#fastTaken += isSlow ? -lane.inFlight : lane.inFlight
    this.#slowTaken += isSlow ? lane.inFlight : -lane.inFlight
  }

  /** A slow lane stands back until there is a slot for it. */
  wait(lane: Lane): void {
    this.#waiting.add(lane)
  }

  /** Those that have waited longest, as many as may start now; they wait no more. */
  takeWaiting(): Lane[] {
    const taken: Lane[] = []
    let left = this.#slow - this.#slowTaken
    for (const lane of this.#waiting) {
      // What is not slow any more waits for nothing here.
      if (lane.isSlow && left <= 0) break
      if (lane.isSlow) left -= 1
      this.#waiting.delete(lane)
      taken.push(lane)
    }
    return taken
  }
}
