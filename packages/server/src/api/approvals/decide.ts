import type { ApprovalDecided, DecisionName, ApprovalState, Mode } from '@runbell/sdk/contract'
import { publishOwn } from '../../accept/publish-own.ts'
import { decisionEvent, outcomeEventId, outcomeSeed } from '../../core/approvals/outcome-event.ts'
import { readStoredRequest, type StoredRequest } from '../../core/approvals/stored-request.ts'
import type { ApprovalDetail } from '../../store/approvals.ts'
import { auditOf, type Asking } from '../access/audit.ts'
import { Refused, invalid, payloadGone, refused } from '../http/problem.ts'
import { refusedInRun } from '../publish/publish-item.ts'
import type { ApiServices } from '../route.ts'
import { timeView } from '../views/time.ts'

export interface DecisionInput {
  decision: DecisionName
  reason: string | null
  inputBinding: string | null
  /** Whoever decided, as the holder of the key says; the audit log has the key in any case. */
  decidedBy: Readonly<Record<string, string>> | null
}

type Deciding = ApiServices & Asking

const STATUSES: Readonly<Record<DecisionName, ApprovalState>> = {
  approve: 'approved',
  deny: 'denied',
  cancel: 'cancelled',
}

/**
 * Decides an approval, once: whether it is still to be decided is looked at again in the transaction that accepts the event which
 * says so, with the audit entry in it. Whoever asks again after a lost answer is told that it is decided.
 *
 * @throws Refused `approval_already_decided`, `state_conflict`, `run_already_ended`, `payload_expired`, `invalid_request`
 */
export async function decide(call: Deciding, approval: ApprovalDetail, input: DecisionInput): Promise<ApprovalDecided> {
  const { context, principal, fingerprint, now } = call
  const { tenantId, approvalId, runId, mode } = approval
  const request = checkDecision(approval, input, now)
  const made = {
    ...{ decision: input.decision, reason: input.reason, at: now },
    decidedBy: input.decidedBy ?? { type: 'system', id: principal.keyId },
  }
  const eventId = outcomeEventId(mode, fingerprint(utf8(outcomeSeed(approval))))
  const bytes = utf8(decisionEvent({ ...approval, request }, eventId, made))
  const { decision, decidedBy } = input
  const detail = {
    decision,
    run_id: runId,
    event_id: eventId,
    ...(decidedBy === null ? {} : { decided_by: decidedBy }),
  }
  const audit = auditOf(call, { action: 'approval.decided', target: approvalId, tenantId, detail })
  const own = { acceptor: context.acceptor, clock: context.clock, fingerprint }
  const catalog = (ofMode: Mode) => context.catalogs.of(ofMode)
  const taken = await publishOwn({ ...own, catalog, publicUrl: () => context.publicUrl }, mode, bytes, { audit })
  if (taken.kind === 'invalid') throw invalid(taken.refusal.errors.map(inInput))
  if (taken.kind === 'refused') throw new Refused(refusedInRun(taken))
  if (taken.kind !== 'accepted') throw alreadyDecided(approvalId)
  context.approvalWaits.poke()
  const { sequence, deliveries } = taken
  const about = { approval_id: approvalId, run_id: runId, tenant_id: tenantId }
  return { ...about, status: STATUSES[decision], decided_at: timeView(now), event_id: eventId, sequence, deliveries }
}

/** What can be said before the transaction. Returns what the request says. @throws Refused */
function checkDecision(approval: ApprovalDetail, input: DecisionInput, now: number): StoredRequest | null {
  const { approvalId, status, decideBy, decidesSince } = approval
  if (decidesSince === null) {
    const detail = `Approvals of the tenant ${approval.tenantId} are not decided through Runbell.`
    const fix =
      'Decide on the page of the producer (decision_url), or have an admin set decide_approvals of the tenant.'
    throw refused('state_conflict', detail, fix)
  }
  if (status !== 'pending') throw alreadyDecided(approvalId)
  if (decideBy !== null && decideBy <= now) {
    const detail = `The time to decide ${approvalId} was over at ${timeView(decideBy)}.`
    throw refused('approval_already_decided', detail, 'An approval that has expired allows nothing: ask again.')
  }
  const request = readStoredRequest(approval.request?.body ?? null)
  if (request === null && input.decision === 'approve') throw payloadGone()
  if (input.inputBinding !== null && input.inputBinding !== request?.inputBinding) {
    const message = 'is not that of the request: what was looked at is not what would run'
    throw invalid(
      [{ path: '/input_binding', message }],
      'Look at the request again, and decide on what it asks for now.',
    )
  }
  if (input.decision === 'approve' && request !== null && !mayApprove(request)) {
    const message = `the request offers ${request.options.join(', ')}`
    throw invalid([{ path: '/decision', message }], 'Decide in one of the ways that the request offers, or deny it.')
  }
  return request
}

/** Denying and cancelling are always possible. */
function mayApprove({ options }: StoredRequest): boolean {
  return options.length === 0 || options.includes('approve')
}

function alreadyDecided(approvalId: string): Refused {
  const fix = `Ask GET /v1/approvals/${encodeURIComponent(approvalId)} how; the first decision stands.`
  return refused('approval_already_decided', `The approval ${approvalId} has been decided.`, fix)
}

/** The event's places are those of the input where the input has them. */
function inInput({ path, message }: { path: string; message: string }): { path: string; message: string } {
  return { path: path.replace(/^\/data(?=\/)/, ''), message }
}

function utf8(text: string): Uint8Array {
  return Buffer.from(text, 'utf8')
}
