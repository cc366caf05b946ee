import type { DataOf, EventInput, KnownEventType } from '../catalog/index.ts'
import type { Agent } from '../contract/index.ts'
import type { OnceOnlyFact } from './event-id.ts'
import type { OwnSchemas, SchemaInput } from './standard-schema.ts'

/** A built-in type, one of the producer's own, or any other name. */
export type EmitType<Own extends OwnSchemas> = KnownEventType | Extract<keyof Own, string> | (string & {})

type FilledIn = 'agent' | 'mode' | 'idempotency_key' | 'data'

/** An event as its producer knows it; `event_id`, `timestamp`, `schema_version` and `agent` are filled in. */
export type EmitInput<Type extends string = string, Own extends OwnSchemas = OwnSchemas> = Omit<
  EventInput<Type>,
  FilledIn
> & {
  data: string extends keyof Own ? DataOf<Type> : Type extends keyof Own ? SchemaInput<Own[Type]> : DataOf<Type>
  /** @default the option defaultAgent */
  agent?: Agent
  /** A W3C `traceparent` header, from which `trace_id` is taken where there is none. One that is malformed is ignored. */
  traceparent?: string | undefined
}

export interface EmitOptions {
  /** Ends waiting and retrying. An event that is on its way may be published all the same. */
  signal?: AbortSignal | undefined
  /**
   * The fact can be true only once: its id follows from run, type, child and n, so that telling it again, from here or from
   * another process, publishes it once; being told that it is there already is a success. Needs a `run_id` or a `task_id`.
   */
  once?: true | Pick<OnceOnlyFact, 'child_id' | 'n'> | undefined
}
