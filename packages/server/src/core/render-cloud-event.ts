import type { EnvelopeCut, EnvelopeFields, PreparedEnvelope } from './render.ts'
import { formatTime, member } from './render.ts'

/**
 * Format `cloudevents`: CloudEvents 1.0.2, JSON event format, structured mode. What CloudEvents has no attribute for are
 * extension attributes: names of lower-case letters, values that are text (section 3.1). The data and a closing brace
 * come after it.
 *
 * @param base the server's public URL, without a slash at its end
 */
export function prepareCloudEvent(fields: EnvelopeFields, cut: EnvelopeCut, base: string): PreparedEnvelope {
  const { agent } = fields
  const place = `${base}/tenants/${encodeURIComponent(fields.tenantId)}/agents/${encodeURIComponent(agent.id)}`
  const schema = `${base}/schemas/${fields.type}/${cut.schemaVersion}.json`
  const head =
    `{"specversion":"1.0","id":${quote(fields.eventId)},"source":${quote(place)},"type":${quote(fields.type)}` +
    member('subject', fields.runId ?? fields.taskId) +
    `,"time":"${formatTime(fields.timestamp)}","datacontenttype":"application/json","dataschema":${quote(schema)}` +
    ',"recordedat":"'
  const middle =
    `","schemaversion":"${cut.schemaVersion}"` +
    (fields.expiresAt === null ? '' : `,"expiresat":"${formatTime(fields.expiresAt)}"`) +
    `,"mode":"${fields.mode}","tenantid":${quote(fields.tenantId)}` +
    member('runid', fields.runId) +
    member('taskid', fields.taskId) +
    member('conversationid', fields.conversationId) +
    (fields.runId === null ? '' : ',"sequence":"')
  const tail =
    (fields.runId === null ? '' : '"') +
    `,"agentid":${quote(agent.id)}` +
    (cut.wholeAgent ? member('agentname', agent.name ?? null) + member('agentversion', agent.version ?? null) : '') +
    member('traceid', fields.traceId) +
    member('causationid', fields.causationId) +
    (cut.withheld.length === 0 ? '' : `,"withheld":${quote(cut.withheld.join(','))}`) +
    (fields.metadata === null ? '' : `,"metadata":${quote(quote(fields.metadata))}`) +
    ',"data":'
  return { head, middle, tail }
}

const quote = JSON.stringify
