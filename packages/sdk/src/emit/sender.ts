import type { PublishOutcome } from './answer.ts'
import { EmitError } from './emit-error.ts'
import type { Lanes, Load } from './lanes.ts'
import type { RunbellSettings } from './options.ts'
import type { OutgoingEvent } from './outgoing-event.ts'
import { postEvents } from './post-events.ts'
import { retryDelay } from './retry.ts'
import { Slots } from './slots.ts'
import type { SpoolWriter } from './spool-writer.ts'

/**
 * Sends what waits in the lanes: each load in one request, with retries of the same bytes.
 *
 * ```
 *  waiting ──take──▶ on its way ──answered──▶ published, or lost for good
 *     ▲                 │
 *     │                 └── retries used up ──▶ spool, with everything of its lanes behind it; without one: lost
 *     └── the lane is busy until what was taken of it has ended
 * ```
 */
export class Sender {
  readonly #settings: RunbellSettings
  readonly #lanes: Lanes
  readonly #spool: SpoolWriter | null
  readonly #slots: Slots
  /** Ends waits between tries, and requests on their way, when no more are wanted. */
  readonly #stops = new Set<() => void>()
  #stopped = false
  /** Whether what is ready should go now, also where a batch could still grow. */
  #isDue = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #flushes = 0

  constructor(settings: RunbellSettings, lanes: Lanes, spool: SpoolWriter | null) {
    this.#settings = settings
    this.#lanes = lanes
    this.#spool = spool
    this.#slots = new Slots(settings.maxRequests)
  }

  /** Starts what may start. Called whenever something was added. */
  pump(): void {
    while (this.#lanes.hasReady) {
      // The server is away, and what was kept before has to go first; or there is no more time.
      if (this.#spool?.isAhead === true || this.#stopped) {
        const { events, lanes } = this.#takeLoad()
        this.#giveUp(events.map((event) => ({ event, error: closedError() })))
        this.#lanes.release(lanes)
        continue
      }
      if (!this.#shouldGo()) return this.#wait()
      if (!this.#slots.tryTake()) return
      void this.#carry(this.#takeLoad())
    }
    this.#isDue = false
  }

  /** While `until` is pending, nothing waits for a batch to grow. */
  async hurry(until: Promise<unknown>): Promise<void> {
    this.#flushes++
    this.pump()
    await until
    this.#flushes--
  }

  /** No more tries: what is on its way and what waits ends now, in the spool where there is one. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    for (const stop of this.#stops) stop()
    this.pump()
  }

  #takeLoad(): Load {
    const { maxEvents, maxBytes } = this.#settings.batch ?? { maxEvents: 1, maxBytes: Infinity }
    return this.#lanes.take(maxEvents, maxBytes) as Load
  }

  #shouldGo(): boolean {
    const { batch } = this.#settings
    return batch === null || this.#isDue || this.#flushes > 0 || this.#lanes.fills(batch.maxEvents, batch.maxBytes)
  }

  #wait(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#isDue = true
      this.pump()
    }, this.#settings.batch?.maxDelayMs)
  }

  async #carry(load: Load): Promise<void> {
    const failures = await this.#deliver(load.events)
    this.#slots.give()
    this.#giveUp(failures)
    this.#lanes.release(load.lanes)
    // Those that were behind have waited long enough.
    this.#isDue = true
    this.pump()
  }

  /** Tries until every event is settled or has no try left; returns the latter. Never rejects. */
  async #deliver(events: readonly OutgoingEvent[]): Promise<Failure[]> {
    const stop = new AbortController()
    const end = () => stop.abort()
    const endIfSettled = () => {
      if (events.every((event) => event.isSettled)) end()
    }
    for (const event of events) event.onSettled(endIfSettled)
    this.#stops.add(end)
    for (let retry = 0, left = events; ; retry++) {
      const bodies = left.map(({ event }) => event)
      const failures = settle(left, await postEvents(bodies, stop.signal, this.#settings))
      const delay = this.#delay(retry, failures)
      if (delay !== null) {
        this.#slots.give()
        this.pump()
        await this.#settings.sleep(delay, stop.signal)
        await this.#slots.take()
      }
      left = failures.flatMap(({ event }) => (event.isSettled ? [] : [event]))
      if (delay !== null && left.length > 0) continue
      this.#stops.delete(end)
      return failures
    }
  }

  /** How long to wait before the next try; `null`: there is none. */
  #delay(retry: number, failures: readonly Failure[]): number | null {
    const { retries, random, now } = this.#settings
    if (failures.length === 0 || this.#stopped || retry >= retries || this.#spool?.isAhead === true) return null
    const delays = failures.map(({ retryAfter }) => retryDelay(retry, retryAfter, random(), now()))
    return delays.includes(null) ? null : Math.max(...(delays as number[]))
  }

  #giveUp(failures: readonly Omit<Failure, 'retryAfter'>[]): void {
    if (this.#spool !== null) return this.#spool.append(failures.map(({ event }) => event))
    for (const { event, error } of failures) {
      event.settle({ kind: 'lost', error: this.#stopped ? closedError() : error })
    }
  }
}

interface Failure {
  event: OutgoingEvent
  error: EmitError
  retryAfter: string | null
}

/** Settles what has an end; returns what may be tried again. */
function settle(events: readonly OutgoingEvent[], outcomes: readonly PublishOutcome[]): Failure[] {
  return events.flatMap((event, index) => {
    const outcome = outcomes[index] as PublishOutcome
    if (event.isSettled) return []
    if (outcome.kind === 'accepted') event.settle({ kind: 'published', accepted: outcome.accepted })
    else if (outcome.error.retryable || outcome.error.code === 'aborted') return [{ event, ...outcome }]
    else event.settle({ kind: 'lost', error: outcome.error })
    return []
  })
}

export function closedError(): EmitError {
  const message = 'The Runbell was closed before the event was published.'
  return new EmitError({ code: 'closed', message, fix: 'Call close() last.', retryable: false })
}
