import type { TOOL_CALL_TYPES } from '../tool-call.ts'
import {
  ABOVE_CAP,
  ABOVE_CAP_APPROVAL,
  ABOVE_CAP_CALL,
  inRun,
  REFUND_BINDING,
  REFUND_CALL,
  REFUND_TOOL,
  REFUNDED,
  UNCONFIRMED,
  UNCONFIRMED_CALL,
} from './refund-desk.ts'
import type { SamplesOf } from './sample.ts'

const REFUND_INPUT = { order_id: '7781', amount: '84.00', currency: 'EUR' }

export const TOOL_CALL_SAMPLES: SamplesOf<typeof TOOL_CALL_TYPES> = {
  'agent.tool_call.started': (id) => ({
    number: 8,
    causedBy: 6,
    timestamp: '2026-11-23T18:31:41.200Z',
    ...inRun(id, REFUNDED, 9),
    data: {
      tool_call_id: id(REFUND_CALL),
      tool: REFUND_TOOL,
      status: 'running',
      attempt: 1,
      input: REFUND_INPUT,
      input_binding: REFUND_BINDING,
    },
  }),
  'agent.tool_call.completed': (id) => ({
    number: 9,
    causedBy: 8,
    timestamp: '2026-11-23T18:31:43.030Z',
    ...inRun(id, REFUNDED, 10),
    data: {
      tool_call_id: id(REFUND_CALL),
      tool: REFUND_TOOL,
      status: 'completed',
      duration_ms: 1830,
      side_effects: 'committed',
      summary: 'Refunded 84.00 EUR for order 7781.',
      input: REFUND_INPUT,
      output: { refund_id: id('rf_1190'), card_last4: '4242', email: 'dana@example.com' },
      result: { type: 'refund', id: id('rf_1190'), url: `https://api.acme.example/refunds/${id('rf_1190')}` },
    },
  }),
  'agent.tool_call.failed': (id) => ({
    number: 16,
    timestamp: '2026-11-23T18:46:02.330Z',
    ...inRun(id, UNCONFIRMED, 7),
    data: {
      tool_call_id: id(UNCONFIRMED_CALL),
      tool: REFUND_TOOL,
      status: 'timed_out',
      error: {
        code: 'timeout',
        message: 'The payment service did not answer within 10 seconds.',
        retryable: false,
        origin: 'tool',
        side_effects: 'unknown',
        reference: 'tr-55ab1',
      },
      duration_ms: 10_000,
      attempt: 1,
      input: { order_id: '7790', amount: '31.50', currency: 'EUR' },
    },
  }),
  'agent.tool_call.denied': (id) => ({
    number: 21,
    causedBy: 20,
    timestamp: '2026-11-23T19:02:00.004Z',
    ...inRun(id, ABOVE_CAP, 5),
    data: {
      tool_call_id: id(ABOVE_CAP_CALL),
      tool: REFUND_TOOL,
      status: 'denied',
      denied_by: { type: 'policy', id: 'refund-cap', display: 'Daily refund cap' },
      approval_id: id(ABOVE_CAP_APPROVAL),
      reason: 'The amount is above the daily cap.',
    },
  }),
}
