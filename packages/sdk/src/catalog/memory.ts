import { runFact, type EventTypeFamily } from './event-type.ts'
import { constant, integer, list, oneOf, text } from './field.ts'

const NAME = { minLength: 1, maxLength: 255 }

/** Every memory type. */
export const MEMORY_TYPES = {
  'agent.memory.updated': runFact('A long-lived memory record was written or deleted.', {
    required: {
      memory_store_id: text('public', 'The store the records are in.', NAME),
      operation: oneOf('public', 'What was done to them.', ['created', 'updated', 'deleted']),
      record_count: integer('public', 'How many records it was done to.', { minimum: 1 }),
      status: constant('public', 'The state of the operation.', 'completed'),
    },
    optional: {
      memory_record_ids: list('public', 'The records.', text('elsewhere', 'A record.', NAME), { maxItems: 100 }),
      records: list('memory', 'What the records say now.', null),
    },
  }),
} as const satisfies EventTypeFamily
