import type { MEMORY_TYPES } from '../memory.ts'
import { inRun, REFUNDED } from './refund-desk.ts'
import type { SamplesOf } from './sample.ts'

export const MEMORY_SAMPLES: SamplesOf<typeof MEMORY_TYPES> = {
  'agent.memory.updated': (id) => ({
    number: 11,
    timestamp: '2026-11-23T18:31:45.100Z',
    ...inRun(id, REFUNDED, 12),
    data: {
      memory_store_id: id('mem_customers'),
      operation: 'created',
      record_count: 1,
      status: 'completed',
      memory_record_ids: [id('rec_01m84tv7y4')],
      records: [{ text: 'Dana prefers refunds to the card over store credit.' }],
    },
  }),
}
