import type { EventInput, KnownEventType } from '../catalog/index.ts'
import type { Accepted, Agent } from '../contract/index.ts'
import { abortedError, readOutcome } from './answer.ts'
import { EmitError } from './emit-error.ts'
import { newEventId } from './event-id.ts'
import { isAborted, post } from './http.ts'
import { readOptions, type RunbellOptions, type RunbellSettings } from './options.ts'
import { retryDelay } from './retry.ts'

/** An event as its producer knows it; `event_id`, `timestamp`, `schema_version` and `agent` are filled in. */
export type EmitInput<Type extends string = string> = Omit<EventInput<Type>, 'agent' | 'mode' | 'idempotency_key'> & {
  /** @default the option defaultAgent */
  agent?: Agent
}

export interface EmitOptions {
  /** Ends waiting and retrying. An event that is on its way may be published all the same. */
  signal?: AbortSignal
}

/** Publishes events. One per process is enough; it holds no connection and no timer of its own. */
export class Runbell {
  readonly #settings: RunbellSettings
  readonly #outstanding = new Set<Promise<unknown>>()

  /** @throws TypeError for an option that cannot be */
  constructor(options: RunbellOptions) {
    this.#settings = readOptions(options)
  }

  /**
   * Publishes one event. Its id is made and its bytes are written once: every try sends the same, so that the server
   * tells a retry from a new event. Never throws into the agent: what fails resolves with `null` and goes to `onError`.
   * @param type such as `agent.run.started`; what its data is follows from it
   * @throws EmitError in strict mode
   */
  emit<Type extends KnownEventType | (string & {})>(
    type: Type,
    input: EmitInput<Type>,
    options: EmitOptions = {},
  ): Promise<Accepted | null> {
    const work = this.#emit(type, input as EmitInput, options)
    this.#outstanding.add(work)
    const forget = () => void this.#outstanding.delete(work)
    work.then(forget, forget)
    return work
  }

  /** Resolves when everything emitted so far is published or given up. Never rejects. */
  async flush(): Promise<void> {
    await Promise.allSettled(this.#outstanding)
  }

  async #emit(type: string, input: EmitInput, options: EmitOptions): Promise<Accepted | null> {
    const { mode, maxOutstanding, now, strict } = this.#settings
    const eventId = input?.event_id ?? newEventId(mode, now())
    try {
      if (this.#outstanding.size >= maxOutstanding) throw tooManyError(maxOutstanding)
      const body = serialise(eventId, type, input, this.#settings)
      return await publish(body, options.signal, this.#settings)
    } catch (error) {
      const failure = error instanceof EmitError ? error : unforeseenError(error)
      if (strict) throw failure
      this.#report(failure, { event_id: eventId, type })
      return null
    }
  }

  #report(error: EmitError, event: { event_id: string; type: string }): void {
    try {
      this.#settings.onError(error, event)
    } catch {
      // The agent's work is worth more than its reporting.
    }
  }
}

function versionOf(type: string, { schemaVersions }: RunbellSettings): number {
  return Object.hasOwn(schemaVersions, type) ? (schemaVersions[type] as number) : 1
}

/** Tries until it is accepted, refused for good, aborted, or out of retries. @throws EmitError */
async function publish(body: string, signal: AbortSignal | undefined, settings: RunbellSettings): Promise<Accepted> {
  const { eventsUrl: url, key, timeoutMs } = settings
  for (let retry = 0; ; retry++) {
    const outcome = readOutcome(await post({ url, key, body, timeoutMs, signal }, settings.fetch))
    if (outcome.kind === 'accepted') return outcome.accepted
    if (!outcome.error.retryable || retry >= settings.retries) throw outcome.error
    const delay = retryDelay(retry, outcome.retryAfter, settings.random(), settings.now())
    if (delay === null) throw outcome.error
    await settings.sleep(delay, signal)
    if (isAborted(signal)) throw abortedError()
  }
}

/** The bytes of the event. `schema_version` is always sent, since a later default must not change what was meant. */
function serialise(eventId: string, type: string, input: EmitInput, settings: RunbellSettings): string {
  const agent = input.agent ?? settings.defaultAgent
  if (agent === undefined) {
    const fix = 'Pass agent: { id }, or set defaultAgent.'
    throw new EmitError({
      code: 'agent_missing',
      message: 'The event does not say which agent acts.',
      fix,
      retryable: false,
    })
  }
  const { data, ...rest } = input
  const event = {
    ...rest,
    event_id: eventId,
    type,
    schema_version: input.schema_version ?? versionOf(type, settings),
    timestamp: input.timestamp ?? new Date(settings.now()).toISOString(),
    agent,
    data,
  }
  try {
    return JSON.stringify(event)
  } catch (cause) {
    const fix = 'Pass plain JSON: no BigInt, no cycles.'
    const message = 'The event cannot be turned into JSON.'
    throw new EmitError({ code: 'not_serialisable', message, fix, retryable: false, cause })
  }
}

function tooManyError(limit: number): EmitError {
  const message = `${limit} events are being sent already.`
  const fix = 'Await emit() or flush() now and then, or raise maxOutstanding.'
  return new EmitError({ code: 'too_many_outstanding', message, fix, retryable: true })
}

function unforeseenError(cause: unknown): EmitError {
  const message = 'The event could not be read.'
  return new EmitError({ code: 'not_serialisable', message, fix: 'Pass an object with data.', retryable: false, cause })
}
