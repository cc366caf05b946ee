import type { EventTypeFact } from './event-type.ts'

export const MESSAGE_TYPES: readonly EventTypeFact[] = [
  { type: 'agent.message.sent', runScoped: true, fact: 'The agent sent a user-facing message.' },
]
