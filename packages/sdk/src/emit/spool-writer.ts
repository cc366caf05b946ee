import type { PublishOutcome } from './answer.ts'
import { EmitError } from './emit-error.ts'
import type { RunbellSettings } from './options.ts'
import type { OutgoingEvent } from './outgoing-event.ts'
import { postEvents } from './post-events.ts'
import { MAX_DELAY_MS, retryDelay } from './retry.ts'
import type { Spool, SpooledEvent, SpooledLot } from './spool.ts'

/** What a request of events from the spool holds at most; a server takes 1,000 events and 5 MiB. */
const MAX_EVENTS = 100
const MAX_BYTES = 1024 * 1024
/** How often is looked for what other processes left behind. */
const LOOK_AGAIN_MS = 60_000

/** Refusals that say something of the key or the address, and nothing of the event: it is kept until that is repaired. */
const NOT_THE_EVENT: readonly string[] = ['unauthenticated', 'insufficient_scope', 'not_found', 'unexpected_answer']

export interface SpoolReports {
  published(event: SpooledEvent): void
  lost(event: Pick<SpooledEvent, 'event_id' | 'type'>, error: EmitError): void
}

/** Puts events into the spool in order, and publishes what is in it when the server is back. */
export class SpoolWriter {
  readonly #spool: Spool
  readonly #settings: RunbellSettings
  readonly #reports: SpoolReports
  readonly #stop = new AbortController()
  /** The last write; each waits for the one before. */
  #written: Promise<void> = Promise.resolve()
  #writing = 0
  #isAhead = false
  #draining: Promise<boolean> | null = null
  /** What is being published, and how far. */
  #lot: { lot: SpooledLot; left: readonly SpooledEvent[] } | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #failures = 0

  constructor(spool: Spool, settings: RunbellSettings, reports: SpoolReports) {
    this.#spool = spool
    this.#settings = settings
    this.#reports = reports
    spool.onExpired = (event) => reports.lost(event, expiredError())
    spool.open(`${settings.apiUrl} ${settings.mode}`)
    this.#schedule(0)
  }

  /** Whether something of ours lies in the spool: new events then have to go behind it. */
  get isAhead(): boolean {
    return this.#isAhead
  }

  /** Settles the events when they are kept, or lost. */
  append(events: readonly OutgoingEvent[]): void {
    if (events.length === 0) return
    this.#isAhead = true
    this.#writing++
    this.#written = this.#written.then(() => this.#write(events))
  }

  /** Publishes what is there, as far as the server takes it. Resolves with whether nothing is left. Never rejects. */
  drain(): Promise<boolean> {
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = null
    })
    return this.#draining
  }

  /** Resolves when everything appended is on disk. */
  async close(): Promise<void> {
    this.#stop.abort()
    clearTimeout(this.#timer)
    await this.#written
    await this.#draining
    await this.#spool.close().catch(() => undefined)
  }

  async #write(events: readonly OutgoingEvent[]): Promise<void> {
    const left = events.filter((event) => !event.isSettled)
    try {
      await this.#spool.append(left.map(({ event }) => event))
      for (const event of left) event.settle({ kind: 'spooled' })
    } catch (cause) {
      for (const event of left) event.settle({ kind: 'lost', error: spoolError(cause) })
    }
    this.#writing--
    if (this.#timer === undefined && this.#draining === null) this.#schedule(this.#pause())
  }

  async #drain(): Promise<boolean> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    try {
      while (!this.#stop.signal.aborted) {
        if (this.#lot === null) {
          const lot = await this.#spool.next()
          if (lot === null) {
            if (this.#writing > 0) return false
            this.#isAhead = false
            this.#failures = 0
            return true
          }
          this.#lot = { lot, left: lot.events }
        }
        if (!(await this.#publishLot(this.#lot))) {
          this.#failures++
          return false
        }
        this.#lot = null
      }
      return false
    } catch {
      // A folder that cannot be read now may be readable later; nothing in it is touched.
      this.#failures++
      return false
    } finally {
      this.#schedule(this.#isAhead || this.#failures > 0 ? this.#pause() : LOOK_AGAIN_MS)
    }
  }

  /** Whether all of it is settled, and forgotten. */
  async #publishLot(current: { lot: SpooledLot; left: readonly SpooledEvent[] }): Promise<boolean> {
    while (current.left.length > 0) {
      const events = firstOf(current.left)
      const outcomes = await postEvents(events, this.#stop.signal, this.#settings)
      const kept = events.filter((event, index) => this.#isKept(event, outcomes[index] as PublishOutcome))
      current.left = [...kept, ...current.left.slice(events.length)]
      if (kept.length > 0) return false
      this.#failures = 0
    }
    await current.lot.done()
    return true
  }

  #isKept(event: SpooledEvent, outcome: PublishOutcome): boolean {
    if (outcome.kind === 'accepted') {
      this.#reports.published(event)
      return false
    }
    const { code, retryable } = outcome.error
    if (retryable || code === 'aborted' || NOT_THE_EVENT.includes(code)) return true
    this.#reports.lost(event, outcome.error)
    return false
  }

  #pause(): number {
    const { random, now } = this.#settings
    return retryDelay(this.#failures + 2, null, random(), now()) ?? MAX_DELAY_MS
  }

  #schedule(delayMs: number): void {
    if (this.#stop.signal.aborted) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.drain(), delayMs)
    // What is on disk waits for the next start: no process stays for it. Where timers are numbers, nothing stays anyhow.
    const timer: unknown = this.#timer
    if (typeof timer === 'object') (timer as { unref?(): void }).unref?.()
  }
}

function firstOf(events: readonly SpooledEvent[]): readonly SpooledEvent[] {
  let characters = 0
  let count = 0
  for (const { body } of events) {
    characters += body.length
    if (count === MAX_EVENTS || (characters > MAX_BYTES && count > 0)) break
    count++
  }
  return events.slice(0, count)
}

function spoolError(cause: unknown): EmitError {
  const message = 'The server is away, and the event could not be kept in the spool.'
  const fix = 'Look at the cause: the spool is full, or its folder cannot be written.'
  return new EmitError({ code: 'spool_failed', message, fix, retryable: true, cause })
}

function expiredError(): EmitError {
  const message = 'The event lay in the spool for longer than that keeps events.'
  return new EmitError({ code: 'spool_expired', message, fix: 'Check url and that the server runs.', retryable: false })
}
