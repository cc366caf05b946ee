import type { Accepted } from '../contract/index.ts'
import { abortedError } from './answer.ts'
import { Approvals } from './approvals/approvals.ts'
import { EmitError } from './emit-error.ts'
import type { EmitInput, EmitOptions, EmitType } from './emit-input.ts'
import { isAborted } from './http.ts'
import { Lanes } from './lanes.ts'
import { readOptions, type RunbellOptions, type RunbellSettings } from './options.ts'
import { OutgoingEvent, type Settlement } from './outgoing-event.ts'
import { Run } from './run/run.ts'
import { perform } from './run/perform.ts'
import type { RunOptions } from './run/run-options.ts'
import { closedError, Sender } from './sender.ts'
import { SpoolWriter } from './spool-writer.ts'
import type { OwnSchemas } from './standard-schema.ts'
import { eventIdFor, writeEvent } from './write-event.ts'

/** What became of the events so far. */
export interface RunbellStats {
  /** Neither published nor given up nor in the spool. */
  outstanding: number
  outstandingBytes: number
  published: number
  /** Written to the spool. */
  spooled: number
  /** Of these, the ones that were published since, by this process. */
  publishedFromSpool: number
  /** Lost events, by code. */
  lost: Readonly<Record<string, number>>
}

/** Publishes events. One per process is enough; it holds no connection of its own. */
export class Runbell<Own extends OwnSchemas = {}> {
  /** Asks for decisions of people and waits for them. */
  readonly approvals: Approvals
  readonly #settings: RunbellSettings
  readonly #lanes = new Lanes()
  readonly #sender: Sender
  readonly #spool: SpoolWriter | null
  readonly #outstanding = new Set<OutgoingEvent>()
  readonly #counts = { outstandingBytes: 0, published: 0, spooled: 0, publishedFromSpool: 0 }
  readonly #lost: Record<string, number> = {}
  #ownLanes = 0
  #closed = false

  /** @throws TypeError for an option that cannot be */
  constructor(options: RunbellOptions<Own>) {
    this.#settings = readOptions(options)
    this.approvals = new Approvals(this.#settings, (type, input, how) => this.emit(type, input as never, how))
    const { spool } = this.#settings
    const published = () => void this.#counts.publishedFromSpool++
    const lost = (event: { event_id: string; type: string }, error: EmitError) => this.#reportLost(error, event, true)
    this.#spool = spool === undefined ? null : new SpoolWriter(spool, this.#settings, { published, lost })
    this.#sender = new Sender(this.#settings, this.#lanes, this.#spool)
  }

  /**
   * Publishes one event. Its id is made and its bytes are written once, now: every try sends the same, so that the server
   * tells a retry from a new event. Events of one run are published in the order they were emitted. Never throws into the
   * agent: what fails resolves with `null` and goes to `onError`. Resolves with `null`, too, for what went into the spool.
   * @param type such as `agent.run.started`; what its data is follows from it
   * @throws EmitError in strict mode
   */
  async emit<Type extends EmitType<Own>>(
    type: Type,
    input: EmitInput<Type, Own>,
    options: EmitOptions = {},
  ): Promise<Accepted | null> {
    const settlement = await this.#start(type, input as EmitInput, options)
    if (settlement.kind === 'published') return settlement.accepted
    if (settlement.kind === 'lost' && this.#settings.strict) throw settlement.error
    return null
  }

  /** A run, fact by fact. Says nothing by itself. */
  run(options?: RunOptions): Run
  /**
   * A run around work: started (or resumed) before it, and after it completed or, where it throws, failed; the work's result or
   * exception is handed on. Nothing waits for the network.
   */
  run<Result>(options: RunOptions, work: (run: Run) => Result | Promise<Result>): Promise<Result>
  run<Result>(options: RunOptions = {}, work?: (run: Run) => Result | Promise<Result>): Run | Promise<Result> {
    const run = new Run(
      {
        settings: this.#settings,
        approvals: this.approvals,
        emit: (type, input, how) => this.emit(type, input as never, how),
      },
      options,
    )
    return work === undefined ? run : perform(run, work)
  }

  /** What became of the events so far. */
  stats(): RunbellStats {
    return { outstanding: this.#outstanding.size, ...this.#counts, lost: { ...this.#lost } }
  }

  /**
   * Resolves when everything emitted so far is published, in the spool or given up: with `true`; with `false` when that took
   * longer. Never rejects.
   * @param timeoutMs in milliseconds. @default no end
   */
  async flush(timeoutMs: number = Infinity): Promise<boolean> {
    const all = Promise.all([...this.#outstanding].map(({ settled }) => settled)).then(() => true)
    if (timeoutMs === Infinity) {
      await this.#sender.hurry(all)
      return all
    }
    const over = new AbortController()
    const late = this.#settings.sleep(timeoutMs, over.signal).then(() => false)
    const first = Promise.race([all, late])
    await this.#sender.hurry(first)
    over.abort()
    return first
  }

  /** Publishes what is in the spool, as far as the server takes it. Happens by itself; resolves with whether nothing is left. */
  async drainSpool(): Promise<boolean> {
    return (await this.#spool?.drain()) ?? true
  }

  /**
   * The end: takes no more events, waits for those on their way, and gives the rest up, into the spool where there is one.
   * Never rejects.
   * @param timeoutMs for those on their way, in milliseconds. @default 10000
   */
  async close(timeoutMs: number = 10_000): Promise<void> {
    this.#closed = true
    await this.flush(timeoutMs)
    this.#sender.stop()
    await Promise.all([...this.#outstanding].map(({ settled }) => settled))
    await this.#spool?.close()
  }

  /** Everything until the event waits in its lane happens at once, so that the order of calls is the order of events. */
  #start(type: string, input: EmitInput, options: EmitOptions): Promise<Settlement> {
    let eventId = '(none)'
    try {
      eventId = eventIdFor(type, input, options, this.#settings)
      if (this.#closed) throw closedError()
      if (isAborted(options.signal)) throw abortedError()
      const body = writeEvent(eventId, type, input, this.#settings)
      const event = { event_id: eventId, type, once: options.once !== undefined, body }
      return this.#enqueue(new OutgoingEvent(event, this.#laneOf(input), options.signal))
    } catch (error) {
      const failure = error instanceof EmitError ? error : unforeseenError(error)
      this.#reportLost(failure, { event_id: eventId, type })
      return Promise.resolve({ kind: 'lost', error: failure })
    }
  }

  #enqueue(outgoing: OutgoingEvent): Promise<Settlement> {
    const { signal, event, bytes } = outgoing
    this.#makeRoom(bytes)
    this.#outstanding.add(outgoing)
    this.#counts.outstandingBytes += bytes
    const abort = () => outgoing.settle({ kind: 'lost', error: abortedError() })
    signal?.addEventListener('abort', abort, { once: true })
    outgoing.onSettled((settlement) => {
      signal?.removeEventListener('abort', abort)
      this.#outstanding.delete(outgoing)
      this.#counts.outstandingBytes -= bytes
      if (settlement.kind === 'lost') this.#reportLost(settlement.error, event)
      else this.#counts[settlement.kind]++
    })
    this.#lanes.add(outgoing)
    this.#sender.pump()
    return outgoing.settled
  }

  /** @throws EmitError where the new event is the one to drop */
  #makeRoom(bytes: number): void {
    const { maxOutstanding, maxOutstandingBytes, whenFull } = this.#settings
    // Dropping all others would not make room for it.
    if (bytes > maxOutstandingBytes) throw tooManyError(maxOutstanding)
    const isFull = () =>
      this.#outstanding.size >= maxOutstanding || this.#counts.outstandingBytes + bytes > maxOutstandingBytes
    while (isFull()) {
      const oldest = whenFull === 'drop_oldest' ? this.#lanes.oldest() : undefined
      if (oldest === undefined) throw tooManyError(maxOutstanding)
      oldest.settle({ kind: 'lost', error: tooManyError(maxOutstanding) })
    }
  }

  /** Events without a run or task have no order: each has a lane of its own. */
  #laneOf({ run_id: runId, task_id: taskId, tenant_id: tenantId = 'default' }: EmitInput): string {
    return JSON.stringify([tenantId, ...(runId === undefined ? ['task', taskId ?? this.#ownLanes++] : [runId])])
  }

  /** @param nobodyWaits no promise can say it: then `onError` does in strict mode, too */
  #reportLost(error: EmitError, { event_id, type }: { event_id: string; type: string }, nobodyWaits = false): void {
    this.#lost[error.code] = (this.#lost[error.code] ?? 0) + 1
    if (this.#settings.strict && !nobodyWaits) return
    try {
      this.#settings.onError(error, { event_id, type })
    } catch {
      // The agent's work is worth more than its reporting.
    }
  }
}

function tooManyError(limit: number): EmitError {
  const message = `More than ${limit} events, or more bytes than memory may hold, wait already.`
  const fix = 'Await emit() or flush() now and then, give a spool, or raise maxOutstanding and maxOutstandingBytes.'
  return new EmitError({ code: 'too_many_outstanding', message, fix, retryable: true })
}

function unforeseenError(cause: unknown): EmitError {
  const message = 'The event could not be read.'
  return new EmitError({ code: 'not_serialisable', message, fix: 'Pass an object with data.', retryable: false, cause })
}
