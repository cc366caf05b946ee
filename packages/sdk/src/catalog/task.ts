import type { EventTypeFact } from './event-type.ts'

export const TASK_TYPES: readonly EventTypeFact[] = [
  { type: 'agent.task.created', runScoped: false, fact: 'A task was accepted; one or more runs will serve it.' },
  { type: 'agent.task.completed', runScoped: false, fact: 'A task is done.' },
  { type: 'agent.task.failed', runScoped: false, fact: 'A task cannot be done.' },
  { type: 'agent.task.cancelled', runScoped: false, fact: 'A task was withdrawn.' },
]
