import { APPROVAL_TYPES } from './approval.ts'
import { ARTIFACT_TYPES } from './artifact.ts'
import { ESCALATION_TYPES } from './escalation.ts'
import { MEMORY_TYPES } from './memory.ts'
import { MESSAGE_TYPES } from './message.ts'
import { RUN_TYPES } from './run.ts'
import { TASK_TYPES } from './task.ts'
import { TOOL_CALL_TYPES } from './tool-call.ts'
import type { EventTypeFact } from './event-type.ts'

export type { EventTypeFact } from './event-type.ts'

/** Every built-in event type, by name. */
export const BUILT_IN_TYPES: ReadonlyMap<string, EventTypeFact> = new Map(
  [
    RUN_TYPES,
    TOOL_CALL_TYPES,
    APPROVAL_TYPES,
    MESSAGE_TYPES,
    ESCALATION_TYPES,
    MEMORY_TYPES,
    ARTIFACT_TYPES,
    TASK_TYPES,
  ]
    .flat()
    .map((fact) => [fact.type, fact]),
)

/** Names that start with one of these belong to Runbell; a producer's own types start with a segment of their own. */
export const RESERVED_TYPE_PREFIXES = ['agent.', 'runbell.', 'diagnostic.'] as const
