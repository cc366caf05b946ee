import { formatTime, member, type EnvelopeFields, type PreparedEnvelope } from './render.ts'

/** What a thin body tells of the data. */
export interface ThinFacts {
  /** `data.status`. */
  status: string | null
  /** The ids among the public members of `data`, such as `tool_call_id`. */
  ids: Readonly<Record<string, string>>
  /** Where the event can be fetched. */
  resource: string
}

/** Format `thin`: everything that joins, and where to fetch the rest; complete in itself, nothing comes after it. */
export function prepareThin(fields: EnvelopeFields, schemaVersion: number, facts: ThinFacts): PreparedEnvelope {
  const quote = JSON.stringify
  const head =
    `{"event_id":${quote(fields.eventId)},"type":${quote(fields.type)},"schema_version":${schemaVersion}` +
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
    `,"agent":${quote({ id: fields.agent.id })}` +
    member('trace_id', fields.traceId) +
    member('causation_id', fields.causationId) +
    member('status', facts.status) +
    (Object.keys(facts.ids).length === 0 ? '' : `,"ids":${quote(facts.ids)}`) +
    `,"resource":${quote(facts.resource)}}`
  return { head, middle, tail }
}
