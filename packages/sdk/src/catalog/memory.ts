import type { EventTypeFact } from './event-type.ts'

export const MEMORY_TYPES: readonly EventTypeFact[] = [
  { type: 'agent.memory.updated', runScoped: true, fact: 'A long-lived memory record was written or deleted.' },
]
