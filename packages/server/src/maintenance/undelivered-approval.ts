import { PRODUCER_ID_PATTERN, idPrefix } from '@runbell/sdk/contract'
import { scanJson } from '../core/json-scan.ts'
import type { JsonIndex } from '../core/json-index.ts'
import { parseTime } from '../core/rfc3339.ts'
import { formatTime } from '../core/render.ts'
import type { Unannounced } from '../store/rows.ts'

/**
 * `runbell.approval.undelivered` as it is published: the same bytes whoever makes it, and however often. It has no
 * timestamp, so that the time of its acceptance becomes that.
 */
export function undeliveredApproval(delivery: Unannounced): Uint8Array {
  const { approvalId, expiresAt } = requestIn(delivery.body)
  const name = delivery.deliveryId.slice(idPrefix('delivery', delivery.mode).length)
  const event = {
    event_id: `${idPrefix('event', delivery.mode)}undelivered_${name}_${delivery.replays + 1}`,
    type: 'runbell.approval.undelivered',
    tenant_id: delivery.tenantId,
    agent: { id: 'runbell' },
    causation_id: delivery.eventId,
    data: {
      // Where a mismatch is only warned of, a request may have come without it.
      approval_id: approvalId ?? 'unknown',
      delivery_id: delivery.deliveryId,
      endpoint_id: delivery.endpointId,
      event_id: delivery.eventId,
      status: delivery.status,
      reason: delivery.reason ?? delivery.status,
      ...(delivery.runId === null ? {} : { run_id: delivery.runId }),
      ...(expiresAt === null ? {} : { expires_at: formatTime(expiresAt) }),
      attempt_count: delivery.attemptCount,
      ...(delivery.lastOutcome === null ? {} : { last_outcome: delivery.lastOutcome }),
    },
  }
  return Buffer.from(JSON.stringify(event), 'utf8')
}

/** What was asked for, from the uncut body of the request. */
function requestIn(body: Uint8Array): { approvalId: string | null; expiresAt: number | null } {
  const scan = scanJson(body, { maxDepth: 64, maxMembers: 20_000 })
  if (!scan.ok) throw new Error(`a stored body cannot be read again: ${scan.error.message}`)
  const { json } = scan
  const data = json.member(json.root, 'data')
  const id = textIn(json, data, 'approval_id')
  const expiry = textIn(json, json.root, 'expires_at') ?? textIn(json, data, 'expires_at')
  return {
    approvalId: id !== null && PRODUCER_ID_PATTERN.test(id) ? id : null,
    expiresAt: expiry === null ? null : parseTime(expiry),
  }
}

function textIn(json: JsonIndex, object: number, name: string): string | null {
  const node = object === -1 ? -1 : json.member(object, name)
  return node !== -1 && json.kind(node) === 'string' ? json.text(node) : null
}
