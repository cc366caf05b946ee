import { EmitError } from './emit-error.ts'
import type { EmitInput, EmitOptions } from './emit-input.ts'
import { newEventId, onceEventId } from './event-id.ts'
import type { RunbellSettings } from './options.ts'
import { issuePaths, type StandardSchema } from './standard-schema.ts'
import { traceIdOf } from './trace-context.ts'

/** Made before anything can fail, so that a failure can name the event. @throws EmitError */
export function eventIdFor(
  type: string,
  input: EmitInput,
  { once }: EmitOptions,
  { mode, now }: RunbellSettings,
): string {
  if (input?.event_id !== undefined) return input.event_id
  if (once === undefined) return newEventId(mode, now())
  const runId = input?.run_id ?? input?.task_id
  if (runId === undefined) {
    const message = 'A once-only fact needs a run_id or a task_id: its event_id follows from that.'
    throw new EmitError({ code: 'run_missing', message, fix: 'Pass run_id.', retryable: false })
  }
  return onceEventId(mode, { type, run_id: runId, ...(once === true ? {} : once) })
}

/**
 * The bytes of the event, as it is now: what the caller changes later is not in them. `schema_version` is always sent, since
 * a later default must not change what was meant.
 * @throws EmitError
 */
export function writeEvent(eventId: string, type: string, input: EmitInput, settings: RunbellSettings): string {
  const agent = input.agent ?? settings.defaultAgent
  if (agent === undefined) {
    const message = 'The event does not say which agent acts.'
    const fix = 'Pass agent: { id }, or set defaultAgent.'
    throw new EmitError({ code: 'agent_missing', message, fix, retryable: false })
  }
  const { data, traceparent, ...rest } = input
  const traceId = input.trace_id ?? traceIdOf(traceparent ?? settings.traceparent())
  const event = {
    ...rest,
    event_id: eventId,
    type,
    schema_version: input.schema_version ?? versionOf(type, settings),
    timestamp: input.timestamp ?? new Date(settings.now()).toISOString(),
    agent,
    ...(traceId === null ? {} : { trace_id: traceId }),
    data: checked(type, data, settings),
  }
  try {
    return JSON.stringify(event)
  } catch (cause) {
    const fix = 'Pass plain JSON: no BigInt, no cycles.'
    const message = 'The event cannot be turned into JSON.'
    throw new EmitError({ code: 'not_serialisable', message, fix, retryable: false, cause })
  }
}

function versionOf(type: string, { schemaVersions }: RunbellSettings): number {
  return Object.hasOwn(schemaVersions, type) ? (schemaVersions[type] as number) : 1
}

/** What the producer's own schema makes of the data: with its defaults filled in, for instance. @throws EmitError */
function checked(type: string, data: unknown, { schemas }: RunbellSettings): unknown {
  if (!Object.hasOwn(schemas, type)) return data
  const result = (schemas[type] as StandardSchema)['~standard'].validate(data)
  if (result instanceof Promise) {
    result.catch(() => undefined)
    const message = `The schema of ${type} checks asynchronously.`
    const fix = 'Give a schema that answers at once: later facts of the run must not overtake this one.'
    throw new EmitError({ code: 'schema_is_async', message, fix, retryable: false })
  }
  if (result.issues === undefined) return result.value
  const message = `The data does not match the schema of ${type} at ${issuePaths(result.issues).slice(0, 10).join(', ')}.`
  throw new EmitError({ code: 'schema_mismatch', message, fix: 'Compare it with the schema.', retryable: false })
}
