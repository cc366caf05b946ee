import type { TASK_TYPES } from '../task.ts'
import { ABOVE_CAP, ABOVE_CAP_TASK, REFUNDED, REFUNDED_TASK, WITHDRAWN, WITHDRAWN_TASK } from './refund-desk.ts'
import type { SamplesOf } from './sample.ts'

export const TASK_SAMPLES: SamplesOf<typeof TASK_TYPES> = {
  'agent.task.created': (id) => ({
    number: 1,
    timestamp: '2026-11-23T18:02:09.400Z',
    task_id: id(REFUNDED_TASK),
    data: { status: 'queued', title: 'Resolve the refund request for order 7781', run_ids: [id(REFUNDED.run)] },
  }),
  'agent.task.completed': (id) => ({
    number: 14,
    causedBy: 13,
    timestamp: '2026-11-23T18:31:47.200Z',
    task_id: id(REFUNDED_TASK),
    data: {
      status: 'completed',
      title: 'Resolve the refund request for order 7781',
      run_ids: [id(REFUNDED.run)],
      result: { type: 'refund', id: id('rf_1190'), url: `https://api.acme.example/refunds/${id('rf_1190')}` },
    },
  }),
  'agent.task.failed': (id) => ({
    number: 23,
    causedBy: 22,
    timestamp: '2026-11-23T19:02:00.500Z',
    task_id: id(ABOVE_CAP_TASK),
    data: {
      status: 'failed',
      error: {
        code: 'approval_denied',
        message: 'The refund was not approved.',
        retryable: false,
        origin: 'user',
        side_effects: 'none',
      },
      title: 'Resolve the refund request for order 7802',
      run_ids: [id(ABOVE_CAP.run)],
    },
  }),
  'agent.task.cancelled': (id) => ({
    number: 27,
    causedBy: 26,
    timestamp: '2026-11-23T19:08:13.000Z',
    task_id: id(WITHDRAWN_TASK),
    data: {
      status: 'cancelled',
      title: 'Resolve the refund request for order 7818',
      run_ids: [id(WITHDRAWN.run)],
    },
  }),
}
