/** What a condition compares with. Numbers are finite, whole ones within ±(2^53 - 1). */
export type Scalar = string | number | boolean | null

/** One operator of a condition. */
export type FieldTest =
  | { op: 'in'; values: ReadonlySet<Scalar> }
  | { op: 'prefix'; text: string }
  | { op: 'exists'; wanted: boolean }
  | { op: 'gt' | 'gte' | 'lt' | 'lte'; bound: number }
  | { op: 'not'; tests: readonly FieldTest[] }

/** What must hold of one field: every test. */
export interface FieldCondition {
  kind: 'field'
  /** JSON Pointer into the event, such as `/data/status`: what values are remembered by. */
  pointer: string
  /** The pointer's names, unescaped. */
  tokens: readonly string[]
  tests: readonly FieldTest[]
  /** JSON Pointer to the condition in the filter. */
  path: string
}

/**
 * A filter, read and checked: made once for each version of the configuration, and asked for every event.
 * A tree of at most `MAX_CONDITIONS` conditions and `MAX_DEPTH` levels.
 */
export type Filter = FieldCondition | { kind: 'all' | 'any'; of: readonly Filter[] } | { kind: 'not'; of: Filter }

/** UTF-8 bytes of a filter as JSON (guarantees, "Limits"). */
export const MAX_FILTER_BYTES = 4096
/** Conditions in all. With 500 endpoints of a tenant: 25,000 comparisons for one event, about a millisecond. */
export const MAX_CONDITIONS = 50
/** Levels of `all`, `any` and `not`, the filter itself included. */
export const MAX_DEPTH = 5

/** Every condition of a filter, in the order it was written. */
export function conditionsOf(filter: Filter): FieldCondition[] {
  if (filter.kind === 'field') return [filter]
  return filter.kind === 'not' ? conditionsOf(filter.of) : filter.of.flatMap(conditionsOf)
}
