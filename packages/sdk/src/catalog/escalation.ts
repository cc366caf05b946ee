import type { EventTypeFact } from './event-type.ts'

export const ESCALATION_TYPES: readonly EventTypeFact[] = [
  { type: 'agent.escalation.created', runScoped: true, fact: 'The agent gave the matter to a human.' },
  { type: 'agent.escalation.resolved', runScoped: true, fact: 'The escalated matter was closed.' },
]
