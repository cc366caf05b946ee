import type { ConversionStep } from '../conversion/conversion-step.ts'
import type { DataShape } from '../schema/data-shape.ts'

/** What is checked when an event of a type is published, and how its data is cut and converted. */
export interface TypeContract {
  type: string
  /** Events of it need a `run_id`. */
  runScoped: boolean
  /** `agent`: by producers; `service`: Runbell's own; `own`: a producer's. */
  origin: 'agent' | 'service' | 'own'
  /** `warn`: what does not match the schema is accepted with warnings. */
  enforcement: 'enforce' | 'warn'
  /** `reject`: an event that breaks the lifecycle is refused. */
  lifecycle: 'warn' | 'reject'
  /** The latest version. */
  current: number
  /** `null`: there is no such version. */
  version(version: number): VersionContract | null
}

export interface VersionContract {
  version: number
  shape: DataShape
  /** @param data the value as `JsonIndex.value` makes it */
  validate(data: unknown): DataProblem[]
  /** How this version's data becomes that of the version before; `null` for version 1. */
  down: readonly ConversionStep[] | null
  /** After this time events of this version are refused, ms; `null`: not deprecated. */
  retiredAt: number | null
}

/** One place in the data that does not match the schema. Never holds a value of the event. */
export interface DataProblem {
  /** JSON Pointer into `data`. */
  path: string
  /** What was expected. */
  message: string
  /** What to do, in a sentence; `null` where the message says it all. */
  fix: string | null
}

/** The types of one mode, as they are known now. */
export interface Catalog {
  find(type: string): TypeContract | null
  /** Every name, for suggestions. */
  names(): Iterable<string>
}
