import type { Envelope } from '../contract/envelope.ts'
import type { Mode } from '../contract/vocabulary.ts'
import { record, type Field, type Fields, type None, type RecordFields, type RecordOf, type ValueOf } from './field.ts'
import type { JsonSchema } from './json-schema.ts'

/** What the catalog says of one built-in event type. */
export interface EventTypeFact {
  type: string
  /** Events of this type need a `run_id` and get a `sequence`; tasks need a `task_id`. */
  runScoped: boolean
  /** One sentence: what happened. */
  fact: string
}

export interface EventTypeVersion {
  /** From 1. */
  version: number
  /** JSON Schema 2020-12 of `data`, complete in itself. Frozen once published, but for descriptions. */
  schema: JsonSchema
}

/** An event type with everything that is known of it. */
export interface EventType extends EventTypeFact {
  /** Rising; the last one is current. */
  versions: readonly EventTypeVersion[]
  /** One event of the current version, as an endpoint that may see everything receives it. */
  samples: Readonly<Record<Mode, Envelope>>
}

/** An event type as its family declares it. */
export interface EventTypeSource<Data = unknown> {
  readonly runScoped: boolean
  readonly fact: string
  readonly data: Field<Data>
}

/** The types of one thing, by name. */
export type EventTypeFamily = Readonly<Record<string, EventTypeSource>>

/** The data of every type of a family, by name. */
export type DataOfFamily<Family> = {
  [Type in keyof Family]: Family[Type] extends { data: infer Data } ? ValueOf<Data> : never
}

/** A fact about a run. */
export function runFact<Required extends Fields = None, Optional extends Fields = None>(
  fact: string,
  fields: RecordFields<Required, Optional>,
): EventTypeSource<RecordOf<Required, Optional>> {
  return { runScoped: true, fact, data: record('elsewhere', fact, fields) }
}

/** A fact about a task, or about the service itself: no run's `sequence` counts it. */
export function ownFact<Required extends Fields = None, Optional extends Fields = None>(
  fact: string,
  fields: RecordFields<Required, Optional>,
): EventTypeSource<RecordOf<Required, Optional>> {
  return { runScoped: false, fact, data: record('elsewhere', fact, fields) }
}

/** The complete schema of a type's data: its definitions inside, nothing to fetch. */
export function dataSchema(type: string, { schema, definitions }: Field): JsonSchema {
  const shared = Object.fromEntries(definitions.map(({ name, field }) => [name, field.schema]))
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: type,
    ...schema,
    ...(definitions.length === 0 ? {} : { $defs: shared }),
  }
}
