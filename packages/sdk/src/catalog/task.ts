import { ERROR, RESOURCE } from './definitions.ts'
import { ownFact, type EventTypeFamily } from './event-type.ts'
import { constant, list, text, use, type Field } from './field.ts'

function status<const Word extends string>(word: Word): Field<Word> {
  return constant('public', 'The state of the task, from now on.', word)
}

const task = {
  title: text('summary', 'What is to be done, in one safe line.', { minLength: 1, maxLength: 140 }),
  run_ids: list('public', 'The runs that serve the task.', text('elsewhere', 'A run.'), { maxItems: 50 }),
}

/** Every task type. Their events are joined by `task_id`. */
export const TASK_TYPES = {
  'agent.task.created': ownFact('A task was accepted; one or more runs will serve it.', {
    required: { status: status('queued') },
    optional: task,
  }),
  'agent.task.completed': ownFact('A task is done.', {
    required: { status: status('completed') },
    optional: { ...task, result: use(RESOURCE, 'What came out of it.') },
  }),
  'agent.task.failed': ownFact('A task cannot be done.', {
    required: { status: status('failed'), error: use(ERROR, 'Why it cannot be done.') },
    optional: task,
  }),
  'agent.task.cancelled': ownFact('A task was withdrawn.', {
    required: { status: status('cancelled') },
    optional: task,
  }),
} as const satisfies EventTypeFamily
