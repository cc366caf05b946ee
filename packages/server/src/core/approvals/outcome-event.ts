import { idPrefix, type DecisionName, type Mode } from '@runbell/sdk/contract'
import { formatTime } from '../render.ts'
import type { StoredRequest } from './stored-request.ts'

/** The approval that something becomes of. */
export interface OpenApproval {
  mode: Mode
  tenantId: string
  runId: string
  approvalId: string
  /** `null`: its payload is gone. */
  request: StoredRequest | null
  /** Who acts where the request does not tell any more. */
  runAgentId: string | null
}

/** Somebody's decision, as it is put on record. */
export interface MadeDecision {
  decision: DecisionName
  reason: string | null
  decidedBy: Readonly<Record<string, string>>
  /** Service time, ms. */
  at: number
}

/** What an id is derived from: of one approval there is one outcome, so every outcome has the same id. */
export function outcomeSeed({
  mode,
  tenantId,
  runId,
  approvalId,
}: Omit<OpenApproval, 'request' | 'runAgentId'>): string {
  return JSON.stringify(['approval outcome', mode, tenantId, runId, approvalId])
}

/** @param hash of the seed, under a key: nobody else can publish under this id before */
export function outcomeEventId(mode: Mode, hash: Uint8Array): string {
  return `${idPrefix('event', mode)}approval_${hex(hash).slice(0, 40)}`
}

/** `agent.approval.approved`, `denied` or `cancelled`, as it is published. */
export function decisionEvent(approval: OpenApproval, eventId: string, made: MadeDecision): string {
  const { request } = approval
  const about = { approval_id: approval.approvalId, status: STATUS[made.decision], ...toolCallOf(request) }
  const reason = made.reason === null ? {} : { reason: made.reason }
  const data =
    made.decision === 'cancel'
      ? { ...about, ...reason }
      : {
          ...about,
          ...{ decided_by: made.decidedBy, decided_at: formatTime(made.at) },
          ...reason,
          ...(request === null || request.inputBinding === null ? {} : { input_binding: request.inputBinding }),
        }
  return eventText(approval, { eventId, type: `agent.approval.${STATUS[made.decision]}`, at: made.at, data })
}

/** `agent.approval.expired`, as it is published: the fact happened at the deadline, whenever it is noticed. */
export function expiryEvent(approval: OpenApproval, eventId: string, decideBy: number): string {
  const { request, approvalId } = approval
  const data = {
    ...{ approval_id: approvalId, status: 'expired', ...toolCallOf(request), expired_at: formatTime(decideBy) },
    // Fails closed: a request that does not say what follows is denied.
    consequence: request?.onExpiry === 'cancel_run' ? 'cancel_run' : 'deny',
  }
  return eventText(approval, { eventId, type: 'agent.approval.expired', at: decideBy, data })
}

const STATUS: Readonly<Record<DecisionName, string>> = {
  approve: 'approved',
  deny: 'denied',
  cancel: 'cancelled',
}

function toolCallOf(request: StoredRequest | null): { tool_call_id?: string } {
  return request === null || request.toolCallId === null ? {} : { tool_call_id: request.toolCallId }
}

function eventText(
  { tenantId, runId, runAgentId, request }: OpenApproval,
  { eventId, type, at, data }: { eventId: string; type: string; at: number; data: object },
): string {
  const cause = request === null ? {} : { causation_id: request.eventId }
  const own = { event_id: eventId, type, timestamp: formatTime(at), tenant_id: tenantId, run_id: runId, ...cause }
  const joins = request?.joins ?? [`"agent":${JSON.stringify({ id: runAgentId ?? 'unknown' })}`]
  return `${JSON.stringify(own).slice(0, -1)},${joins.join(',')},"data":${JSON.stringify(data)}}`
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
