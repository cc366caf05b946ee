import type { EventTypeFact } from './event-type.ts'

export const ARTIFACT_TYPES: readonly EventTypeFact[] = [
  { type: 'agent.artifact.created', runScoped: true, fact: 'The agent produced a file or document.' },
]
