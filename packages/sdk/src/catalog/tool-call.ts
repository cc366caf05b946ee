import type { EventTypeFact } from './event-type.ts'

export const TOOL_CALL_TYPES: readonly EventTypeFact[] = [
  { type: 'agent.tool_call.started', runScoped: true, fact: 'A tool began executing.' },
  { type: 'agent.tool_call.completed', runScoped: true, fact: 'A tool returned a result.' },
  { type: 'agent.tool_call.failed', runScoped: true, fact: 'A tool ended with an error.' },
  { type: 'agent.tool_call.denied', runScoped: true, fact: 'A tool call was refused before it ran.' },
]
