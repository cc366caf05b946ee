import type { EventTypeFact } from './event-type.ts'

export const APPROVAL_TYPES: readonly EventTypeFact[] = [
  { type: 'agent.approval.requested', runScoped: true, fact: 'A human decision is needed before the run may go on.' },
  { type: 'agent.approval.approved', runScoped: true, fact: 'The request was approved.' },
  { type: 'agent.approval.denied', runScoped: true, fact: 'The request was denied.' },
  { type: 'agent.approval.expired', runScoped: true, fact: 'Nobody decided before the deadline.' },
  {
    type: 'agent.approval.cancelled',
    runScoped: true,
    fact: 'The request was withdrawn; no decision is needed any more.',
  },
]
