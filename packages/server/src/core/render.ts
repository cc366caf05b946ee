import type { Agent, Mode } from '@runbell/sdk/contract'

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

/** RFC 3339 in UTC with milliseconds. */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString()
}

/**
 * Renders everything around `data` in the order the contract fixes. `recorded_at` and `sequence` are only known
 * inside the accepting transaction, so their places stay open for `completePrefix`.
 */
export function prepareEnvelope(fields: EnvelopeFields): PreparedEnvelope {
  const quote = JSON.stringify
  const member = (key: string, value: string | null) => (value === null ? '' : `,"${key}":${quote(value)}`)
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
  const tail =
    `,"agent":${quote(fields.agent)}` +
    member('trace_id', fields.traceId) +
    member('causation_id', fields.causationId) +
    (fields.metadata === null ? '' : `,"metadata":${quote(fields.metadata)}`) +
    ',"data":'
  return { head, middle, tail }
}

/** The text of a body up to its `data`; after it come the bytes of `data` and `}`. */
export function completePrefix(envelope: PreparedEnvelope, recordedAt: number, sequence: number | null): string {
  return envelope.head + formatTime(recordedAt) + envelope.middle + (sequence ?? '') + envelope.tail
}
