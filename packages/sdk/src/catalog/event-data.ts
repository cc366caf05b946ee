import type { Envelope, PublishInput } from '../contract/envelope.ts'
import type { APPROVAL_TYPES } from './approval.ts'
import type { ARTIFACT_TYPES } from './artifact.ts'
import type { ESCALATION_TYPES } from './escalation.ts'
import type { DataOfFamily } from './event-type.ts'
import type { MEMORY_TYPES } from './memory.ts'
import type { MESSAGE_TYPES } from './message.ts'
import type { OwnEventDataByType, OwnRunScopedTypes } from './own-types.ts'
import type { RUN_TYPES } from './run.ts'
import type { SERVICE_EVENT_TYPES } from './service.ts'
import type { TASK_TYPES } from './task.ts'
import type { TOOL_CALL_TYPES } from './tool-call.ts'

/** Types only: what imports this file gets none of the catalog at run time. */

/** The `data` of every type that producers publish. What an endpoint was not granted is absent: such fields are optional. */
export interface EventDataByType
  extends
    DataOfFamily<typeof RUN_TYPES>,
    DataOfFamily<typeof TOOL_CALL_TYPES>,
    DataOfFamily<typeof APPROVAL_TYPES>,
    DataOfFamily<typeof MESSAGE_TYPES>,
    DataOfFamily<typeof ESCALATION_TYPES>,
    DataOfFamily<typeof MEMORY_TYPES>,
    DataOfFamily<typeof ARTIFACT_TYPES>,
    DataOfFamily<typeof TASK_TYPES> {}

/** The `data` of the service's own events. */
export interface ServiceEventDataByType extends DataOfFamily<typeof SERVICE_EVENT_TYPES> {}

export type EventTypeName = keyof EventDataByType
export type ServiceEventTypeName = keyof ServiceEventDataByType

type KnownData = EventDataByType & ServiceEventDataByType & OwnEventDataByType

/** Every type whose data is known here. */
export type KnownEventType = Extract<keyof KnownData, string>

/** The `data` of a type: of one that is known its own, of any other `unknown`. */
export type DataOf<Type extends string> = Type extends keyof KnownData ? KnownData[Type] : unknown

/** Types whose events belong to a run, but for those of tasks. */
// oxlint-disable-next-line typescript/no-redundant-type-constituents -- empty here; others add to it
type RunScoped = `agent.${string}` | keyof OwnRunScopedTypes

type JoinsOf<Type extends string> = Type extends `agent.task.${string}`
  ? { task_id: string }
  : Type extends RunScoped
    ? { run_id: string; sequence: number }
    : unknown

type JoinsIn<Type extends string> = Type extends `agent.task.${string}`
  ? { task_id: string }
  : Type extends RunScoped
    ? { run_id: string }
    : unknown

/** An event of a type, as it is given to `emit`: with the ids that its type needs. */
export type EventInput<Type extends string> = Omit<PublishInput<Type, DataOf<Type>>, 'type'> & JoinsIn<Type>

/** An event of a type, as a receiver gets it. */
export type EventOf<Type extends string> = Type extends string ? Envelope<Type, DataOf<Type>> & JoinsOf<Type> : never

type Glob<Pattern extends string> = Pattern extends `${infer Start}*${infer End}`
  ? `${Start}${string}${Glob<End>}`
  : Pattern

/**
 * The events a pattern of `on` stands for, told apart by `type`: of `agent.run.*` eleven. Where no built-in type fits, and
 * for `*`, which is also the producer's own types, any event.
 */
export type EventMatching<Pattern extends string> = string extends Pattern
  ? Envelope
  : Pattern extends '*'
    ? Envelope
    : [Extract<keyof KnownData, Glob<Pattern>>] extends [never]
      ? Envelope
      : EventOf<Extract<keyof KnownData, Glob<Pattern>>>
