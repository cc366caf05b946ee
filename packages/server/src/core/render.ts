import type { Agent, DataClass, Mode } from '@runbell/sdk/contract'

/** An envelope with two holes: body = head + recorded_at + middle + sequence + tail + data + `}`. */
export interface PreparedEnvelope {
  head: string
  middle: string
  tail: string
}

/** What stands in an envelope, checked and normalised; times in ms. */
export interface EnvelopeFields {
  eventId: string
  type: string
  schemaVersion: number
  timestamp: number
  expiresAt: number | null
  mode: Mode
  tenantId: string
  runId: string | null
  taskId: string | null
  conversationId: string | null
  agent: Agent
  traceId: string | null
  causationId: string | null
  metadata: Record<string, string> | null
}

/** What an endpoint gets of the envelope of one event. */
export interface EnvelopeCut {
  /** The version its data is in. */
  schemaVersion: number
  /** Sorted; empty: nothing was cut. */
  withheld: readonly DataClass[]
  /** The agent's name and version, which are `operational`, go along. */
  wholeAgent: boolean
}

/** RFC 3339 in UTC with milliseconds. */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString()
}

const quote = JSON.stringify

/** One more member of an envelope, with its comma; nothing for `null`. */
export function member(key: string, value: string | null): string {
  return value === null ? '' : `,"${key}":${quote(value)}`
}

/**
 * Renders everything around `data` in the order the contract fixes. `recorded_at` and `sequence` are only known
 * inside the accepting transaction, so their places stay open for `completePrefix`.
 */
export function prepareEnvelope(fields: EnvelopeFields): PreparedEnvelope {
  const head =
    `{"event_id":${quote(fields.eventId)},"type":${quote(fields.type)},"schema_version":${fields.schemaVersion}` +
    `,"timestamp":"${formatTime(fields.timestamp)}","recorded_at":"`
  const middle =
    '"' +
    (fields.expiresAt === null ? '' : `,"expires_at":"${formatTime(fields.expiresAt)}"`) +
    `,"mode":"${fields.mode}","tenant_id":${quote(fields.tenantId)}` +
    member('run_id', fields.runId) +
    member('task_id', fields.taskId) +
    member('conversation_id', fields.conversationId) +
    (fields.runId === null ? '' : ',"sequence":')
  return { head, middle, tail: tailOf(fields, WHOLE) }
}

/**
 * The envelope as an endpoint gets it. Most of it is the same for all endpoints and is taken over as it is.
 * @param whole what `prepareEnvelope` made of the same fields
 */
export function cutEnvelope(whole: PreparedEnvelope, fields: EnvelopeFields, cut: EnvelopeCut): PreparedEnvelope {
  const same = cut.schemaVersion === fields.schemaVersion
  const { head } = same ? whole : prepareEnvelope({ ...fields, schemaVersion: cut.schemaVersion })
  return { head, middle: whole.middle, tail: tailOf(fields, cut) }
}

const WHOLE = { withheld: [], wholeAgent: true }

function tailOf(fields: EnvelopeFields, { withheld, wholeAgent }: Omit<EnvelopeCut, 'schemaVersion'>): string {
  return (
    `,"agent":${quote(wholeAgent ? fields.agent : { id: fields.agent.id })}` +
    member('trace_id', fields.traceId) +
    member('causation_id', fields.causationId) +
    (withheld.length === 0 ? '' : `,"withheld":["${withheld.join('","')}"]`) +
    (fields.metadata === null ? '' : `,"metadata":${quote(fields.metadata)}`) +
    ',"data":'
  )
}

/** The text of a body up to its `data`; after it come the bytes of `data` and `}`. */
export function completePrefix(envelope: PreparedEnvelope, recordedAt: number, sequence: number | null): string {
  return envelope.head + formatTime(recordedAt) + envelope.middle + (sequence ?? '') + envelope.tail
}
