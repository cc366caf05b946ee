import { createHmac, randomBytes } from 'node:crypto'
import { newEventId, type EmitInput } from '@runbell/sdk/emit'

/** A fact of the run, as its producer posts it. */
export interface RunFact {
  type: string
  input: EmitInput
}

export const REFUND_AGENT = { id: 'refund-agent' }

const LOOK_UP = { name: 'lookup_order', type: 'function', annotations: { read_only_hint: true, idempotent_hint: true } }
const ISSUE = {
  name: 'issue_refund',
  type: 'function',
  annotations: { destructive_hint: true, idempotent_hint: false },
}
const FOUR_HOURS_MS = 4 * 60 * 60 * 1000

/**
 * A customer wants 84.00 EUR back; the agent looks the order up, asks a person, and pays.
 * @param now milliseconds since 1970
 */
export function refundRun(now: number): { runId: string; facts: RunFact[] } {
  const suffix = randomBytes(5).toString('hex')
  const runId = `run_test_${suffix}`
  const approvalId = `apr_${suffix}`
  const lookUp = { tool_call_id: `call_${suffix}_1`, tool: LOOK_UP }
  const issue = { tool_call_id: `call_${suffix}_2`, tool: ISSUE }
  const askedId = newEventId('test', now)
  const decidedId = newEventId('test', now)
  const expiresAt = new Date(now + FOUR_HOURS_MS).toISOString()
  const binding = bind(approvalId, issue.tool_call_id, ISSUE.name, {
    order_id: '7781',
    amount: '84.00',
    currency: 'EUR',
  })
  const fact = (type: string, data: object, more: Partial<EmitInput> = {}): RunFact => ({
    type,
    input: { run_id: runId, conversation_id: 'thread_8841', data, ...more },
  })
  const asked = {
    ...{ approval_id: approvalId, tool_call_id: issue.tool_call_id, status: 'pending', kind: 'tool_call', tool: ISSUE },
    ...{ summary: 'Refund 84.00 EUR for order 7781 to the original card.', summary_source: 'template' },
    ...{ reason: 'Refunds above 50 EUR need a person.', risk_level: 'high', input_binding: binding },
    details: [
      { label: 'Amount', value: '84.00 EUR', value_class: 'public' },
      { label: 'Order', value: '7781', value_class: 'public' },
    ],
    ...{ options: ['approve', 'deny'], requested_from: { type: 'group' }, expires_at: expiresAt, on_expiry: 'deny' },
  }
  const approved = {
    ...{ approval_id: approvalId, tool_call_id: issue.tool_call_id, status: 'approved', decided_by: { type: 'user' } },
    ...{ automatic: false, edited: false, scope: 'once', input_binding: binding },
  }
  const found = {
    status: 'completed',
    duration_ms: 412,
    side_effects: 'none',
    summary: 'Order found, delivered 9 days ago.',
  }
  const paid = {
    status: 'completed',
    duration_ms: 1830,
    side_effects: 'committed',
    summary: 'Refund of 84.00 EUR issued.',
  }
  const refund = { type: 'refund', id: `rf_${suffix}` }
  return {
    runId,
    facts: [
      fact('agent.run.started', { status: 'running', trigger: 'user' }),
      fact('agent.tool_call.started', { ...lookUp, status: 'running' }),
      fact('agent.tool_call.completed', { ...lookUp, ...found, result: { type: 'order', id: '7781' } }),
      fact('agent.approval.requested', asked, { event_id: askedId }),
      fact('agent.run.waiting', {
        status: 'waiting',
        waiting_for: 'approval',
        approval_ids: [approvalId],
        resume_by: expiresAt,
      }),
      fact('agent.approval.approved', approved, { event_id: decidedId, causation_id: askedId }),
      fact('agent.run.resumed', { status: 'running', resumed_after: 'approval' }, { causation_id: decidedId }),
      fact('agent.tool_call.completed', { ...issue, ...paid, result: refund }),
      fact('agent.run.completed', { status: 'completed', duration_ms: 48_000, result: refund }),
    ],
  }
}

/** Ties an approval to what runs after it, under a key that only the producer has (contract, "Approvals"). */
function bind(...parts: unknown[]): string {
  return `hmac-sha256:${createHmac('sha256', randomBytes(32)).update(JSON.stringify(parts)).digest('base64url')}`
}
