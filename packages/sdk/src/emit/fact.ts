import type { EventDataByType } from '../catalog/index.ts'
import type { Accepted } from '../contract/index.ts'
import type { EmitInput, EmitOptions } from './emit-input.ts'

/** What of a fact's data its teller gives: the status follows from which fact it is. */
export type FactData<Type extends keyof EventDataByType, FilledIn extends string = never> = Omit<
  EventDataByType[Type],
  'status' | FilledIn
>

export type Emit = (type: string, input: EmitInput, options?: EmitOptions) => Promise<Accepted | null>
