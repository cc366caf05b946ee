import type { Accepted } from '../contract/index.ts'
import type { EmitError } from './emit-error.ts'
import type { SpooledEvent } from './spool.ts'

const encoder = new TextEncoder()

/** How the way of an event ended. `spooled`: on disk, and published later. */
export type Settlement =
  | { kind: 'published'; accepted: Accepted }
  | { kind: 'spooled' }
  | { kind: 'lost'; error: EmitError }

/** An event on its way: written down, and settled exactly once. */
export class OutgoingEvent {
  readonly event: SpooledEvent
  /** Events of one lane are published in their order. */
  readonly lane: string
  readonly bytes: number
  readonly signal: AbortSignal | undefined
  readonly settled: Promise<Settlement>
  readonly #resolve: (settlement: Settlement) => void
  readonly #listeners = new Set<(settlement: Settlement) => void>()
  #isSettled = false

  constructor(event: SpooledEvent, lane: string, signal: AbortSignal | undefined) {
    this.event = event
    this.lane = lane
    this.signal = signal
    this.bytes = encoder.encode(event.body).length
    let resolve: (settlement: Settlement) => void = () => undefined
    this.settled = new Promise((done) => void (resolve = done))
    this.#resolve = resolve
  }

  get isSettled(): boolean {
    return this.#isSettled
  }

  /** The first one counts: an event that was aborted while it was on its way is not published after that. */
  settle(settlement: Settlement): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#resolve(settlement)
    for (const listener of this.#listeners) listener(settlement)
  }

  /** Calls back in the moment it is settled. */
  onSettled(listener: (settlement: Settlement) => void): void {
    this.#listeners.add(listener)
  }
}
