import type { RUN_TYPES } from '../run.ts'
import { ABOVE_CAP, customer, inRun, LOST, REFUND_APPROVAL, REFUNDED, UNCONFIRMED, WITHDRAWN } from './refund-desk.ts'
import type { SamplesOf } from './sample.ts'

const TRIAGE_AGENT = { id: 'triage-agent', name: 'Triage agent', version: '2026-10-19' }
const REFUND_AGENT = { id: 'refund-agent', name: 'Refund agent', version: '2026-11-02' }

export const RUN_SAMPLES: SamplesOf<typeof RUN_TYPES> = {
  'agent.run.queued': (id) => ({
    number: 2,
    timestamp: '2026-11-23T18:02:09.480Z',
    ...inRun(id, REFUNDED, 1),
    data: { status: 'queued', trigger: 'user' },
  }),
  'agent.run.started': (id) => ({
    number: 3,
    timestamp: '2026-11-23T18:02:10.120Z',
    ...inRun(id, REFUNDED, 2),
    trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
    metadata: { order_region: 'eu' },
    data: {
      status: 'running',
      trigger: 'user',
      initiated_by: customer(id),
      input: 'I want my money back for order 7781',
    },
  }),
  'agent.run.waiting': (id) => ({
    number: 5,
    causedBy: 4,
    timestamp: '2026-11-23T18:02:15.010Z',
    ...inRun(id, REFUNDED, 6),
    data: {
      status: 'waiting',
      waiting_for: 'approval',
      approval_ids: [id(REFUND_APPROVAL)],
      resume_by: '2026-11-23T22:02:15.000Z',
      summary: 'Waiting for a refund approval.',
    },
  }),
  'agent.run.resumed': (id) => ({
    number: 7,
    causedBy: 6,
    timestamp: '2026-11-23T18:31:41.009Z',
    ...inRun(id, REFUNDED, 8),
    data: { status: 'running', resumed_after: 'approval' },
  }),
  'agent.run.retrying': (id) => ({
    number: 15,
    timestamp: '2026-11-23T18:44:09.700Z',
    ...inRun(id, UNCONFIRMED, 2),
    data: {
      status: 'retrying',
      attempt: 1,
      next_attempt_at: '2026-11-23T18:45:09.700Z',
      error: {
        code: 'rate_limited',
        message: 'The model provider refused more requests for now.',
        retryable: true,
        retry_after_seconds: 60,
        origin: 'model',
        side_effects: 'none',
        reference: 'req_011CV',
      },
    },
  }),
  'agent.run.handed_off': (id) => ({
    number: 28,
    timestamp: '2026-11-23T19:10:03.420Z',
    ...inRun(id, LOST, 2),
    agent: TRIAGE_AGENT,
    data: { status: 'running', from_agent: TRIAGE_AGENT, to_agent: REFUND_AGENT },
  }),
  'agent.run.completed': (id) => ({
    number: 13,
    timestamp: '2026-11-23T18:31:47.000Z',
    ...inRun(id, REFUNDED, 14),
    trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
    data: {
      status: 'completed',
      started_at: '2026-11-23T18:02:10.120Z',
      duration_ms: 1_776_880,
      usage: {
        input_tokens: 8121,
        output_tokens: 640,
        cache_read_input_tokens: 4096,
        model_calls: 4,
        tool_calls: 2,
        cost: { amount: '0.0412', currency: 'USD' },
      },
      output: 'Your 84.00 EUR are on their way back to your card.',
      result: { type: 'refund', id: id('rf_1190'), url: `https://api.acme.example/refunds/${id('rf_1190')}` },
    },
  }),
  'agent.run.partially_completed': (id) => ({
    number: 19,
    timestamp: '2026-11-23T19:26:31.640Z',
    ...inRun(id, UNCONFIRMED, 13),
    data: {
      status: 'partially_completed',
      reason: 'tool_failures',
      completed_steps: 3,
      remaining_steps: 1,
      summary: 'Customer answered; a colleague paid the refund by hand.',
      duration_ms: 2_552_140,
      usage: { input_tokens: 9034, output_tokens: 712, model_calls: 5, tool_calls: 2 },
      error: {
        code: 'tool_error',
        message: 'One tool call did not finish.',
        retryable: false,
        origin: 'tool',
        side_effects: 'unknown',
        reference: 'tr-55ab1',
      },
      output: 'A colleague has confirmed your refund.',
      result: { type: 'case', id: id('case_7790'), url: `https://desk.acme.example/cases/${id('case_7790')}` },
    },
  }),
  'agent.run.failed': (id) => ({
    number: 22,
    causedBy: 21,
    timestamp: '2026-11-23T19:02:00.310Z',
    ...inRun(id, ABOVE_CAP, 6),
    data: {
      status: 'rejected',
      error: {
        code: 'approval_denied',
        message: 'The refund was not approved.',
        retryable: false,
        origin: 'user',
        side_effects: 'none',
      },
      duration_ms: 5310,
      usage: { input_tokens: 3120, output_tokens: 204, model_calls: 2, tool_calls: 1 },
    },
  }),
  'agent.run.cancelled': (id) => ({
    number: 26,
    causedBy: 25,
    timestamp: '2026-11-23T19:08:12.900Z',
    ...inRun(id, WITHDRAWN, 6),
    data: {
      status: 'cancelled',
      cancelled_by: { type: 'user', id: id('usr_6130'), display: 'Noor Haddad' },
      reason: 'I found the parcel, I am keeping it.',
      side_effects: 'none',
    },
  }),
  'agent.run.outcome_unknown': (id) => ({
    number: 29,
    timestamp: '2026-11-23T19:20:00.000Z',
    ...inRun(id, LOST, 6),
    data: {
      status: 'unknown',
      last_seen_at: '2026-11-23T19:15:02.118Z',
      error: {
        code: 'interrupted',
        message: 'The worker stopped reporting.',
        retryable: false,
        origin: 'platform',
        side_effects: 'unknown',
      },
    },
  }),
}
