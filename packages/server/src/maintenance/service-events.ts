import { idPrefix, type Mode } from '@runbell/sdk/contract'
import { disabledAt } from '../core/endpoint-health.ts'
import { formatTime } from '../core/render.ts'
import type { FailingEndpoint, Notice } from '../store/notices.ts'

/**
 * Service events as they are published: of one cause the same bytes whoever makes them, and however often. Their ids follow from the
 * cause. They have no run, and belong to the tenant of the endpoint.
 */
export function noticeEvent(notice: Notice): Uint8Array {
  const { kind, endpointId: endpoint_id, failingSince } = notice
  const since = failingSince === null ? {} : { failing_since: formatTime(failingSince) }
  if (notice.delivery !== null) return deadLetterEvent(notice, notice.delivery)
  if (kind === 'disabled') {
    const data = { endpoint_id, status: 'disabled', reason: notice.reason ?? 'unknown', ...since }
    return eventOf(
      notice,
      { word: 'disabled', cause: String(notice.at), type: 'runbell.endpoint.disabled', at: notice.at },
      data,
    )
  }
  const about = { word: 'recovered', cause: String(notice.at), type: 'runbell.endpoint.recovered', at: notice.at }
  return eventOf(notice, about, { endpoint_id, status: 'enabled', ...since })
}

function deadLetterEvent(notice: Notice, delivery: NonNullable<Notice['delivery']>): Uint8Array {
  const { deliveryId, eventId, eventType, runId, attemptCount, replays, lastOutcome } = delivery
  const data = {
    ...{ delivery_id: deliveryId, endpoint_id: notice.endpointId, event_id: eventId, event_type: eventType },
    ...{ status: 'dead_lettered', reason: notice.reason ?? 'unknown', attempt_count: attemptCount },
    ...(runId === null ? {} : { run_id: runId }),
    ...(lastOutcome === null ? {} : { last_outcome: lastOutcome }),
  }
  const event = {
    event_id: `${idPrefix('event', notice.mode)}dead_${bare('delivery', notice.mode, deliveryId)}_${replays + 1}`,
    ...{ type: 'runbell.delivery.dead_lettered', timestamp: formatTime(notice.at), tenant_id: notice.tenantId },
    ...{ agent: { id: 'runbell' }, causation_id: eventId, data },
  }
  return Buffer.from(JSON.stringify(event), 'utf8')
}

/** @param percent of the time until it is disabled, as it is warned of */
export function failingEvent(endpoint: FailingEndpoint, percent: number): Uint8Array {
  const { endpointId: endpoint_id, failingSince } = endpoint
  const data = {
    ...{ endpoint_id, status: 'enabled', failing_since: formatTime(failingSince), percent_elapsed: percent },
    disabled_at: formatTime(disabledAt(failingSince)),
  }
  // No timestamp: it is said when it is noticed, and the bytes are the same whenever that is.
  const about = { word: 'failing', cause: `${failingSince}_${percent}`, type: 'runbell.endpoint.failing', at: null }
  return eventOf(endpoint, about, data)
}

interface About {
  word: string
  cause: string
  type: string
  at: number | null
}

function eventOf(
  { mode, tenantId, endpointId }: Pick<FailingEndpoint, 'mode' | 'tenantId' | 'endpointId'>,
  { word, cause, type, at }: About,
  data: object,
): Uint8Array {
  const event = {
    event_id: `${idPrefix('event', mode)}${word}_${bare('endpoint', mode, endpointId)}_${cause}`,
    type,
    ...(at === null ? {} : { timestamp: formatTime(at) }),
    ...{ tenant_id: tenantId, agent: { id: 'runbell' }, data },
  }
  return Buffer.from(JSON.stringify(event), 'utf8')
}

function bare(kind: 'endpoint' | 'delivery', mode: Mode, id: string): string {
  return id.slice(idPrefix(kind, mode).length)
}
