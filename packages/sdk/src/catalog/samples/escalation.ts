import type { ESCALATION_TYPES } from '../escalation.ts'
import { APPROVER, ESCALATION, inRun, UNCONFIRMED } from './refund-desk.ts'
import type { SamplesOf } from './sample.ts'

export const ESCALATION_SAMPLES: SamplesOf<typeof ESCALATION_TYPES> = {
  'agent.escalation.created': (id) => ({
    number: 17,
    causedBy: 16,
    timestamp: '2026-11-23T18:46:03.100Z',
    ...inRun(id, UNCONFIRMED, 8),
    data: {
      escalation_id: id(ESCALATION),
      status: 'open',
      reason_code: 'repeated_failure',
      priority: 'high',
      assigned_to: { type: 'group', id: 'payments', display: 'Payments' },
      summary: 'Refund for order 7790 may or may not have been paid; check before retrying.',
      resource: { type: 'ticket', id: id('tck_1190'), url: `https://desk.acme.example/tickets/${id('tck_1190')}` },
    },
  }),
  'agent.escalation.resolved': (id) => ({
    number: 18,
    causedBy: 17,
    timestamp: '2026-11-23T19:26:20.050Z',
    ...inRun(id, UNCONFIRMED, 10),
    data: {
      escalation_id: id(ESCALATION),
      status: 'resolved',
      resolution: 'handled_by_human',
      resolved_by: { type: 'user', id: id(APPROVER), display: 'Sam Ito' },
    },
  }),
}
