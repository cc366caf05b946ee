import { expect } from 'vitest'
import { compareSchemas } from '../src/core/schema/compare-schemas.ts'

/** Pairs of schemas with the verdict that contract and consumers have on them. */

export const PUBLIC = { 'x-data-class': 'public' }
export const text = { type: 'string', ...PUBLIC }
export const number = { type: 'integer', ...PUBLIC }
export const words = (...values: unknown[]) => ({ enum: values, ...PUBLIC })

export type Schema = Record<string, unknown>
export const object = (properties: Schema, required: string[] = [], more: Schema = {}): Schema => ({
  type: 'object',
  properties,
  required,
  ...more,
})
/** Data with one field, `f`. */
export const field = (schema: unknown, required = false) => object({ f: schema }, required ? ['f'] : [])

/** [what, before, after, verdict, path of the first change of that verdict, words of its reason, kept in place] */
export type Pair = [string, Schema, Schema, 'unchanged' | 'additive' | 'breaking', string?, string?, boolean?]

export function expectVerdict(pair: Pair): void {
  const [, before, after, verdict, path, reason, inPlace] = pair

  const comparison = compareSchemas(before, after)
  expect(comparison).toMatchObject({ verdict })
  const deciding = comparison.changes.filter((change) => change.verdict === verdict)
  expect(deciding.length > 0).toBe(verdict !== 'unchanged')
  if (path !== undefined) expect(deciding.map((change) => change.path)).toContain(path)
  const told = deciding.find((change) => path === undefined || change.path === path)
  if (reason !== undefined) expect(told?.reason).toContain(reason)
  if (inPlace !== undefined) expect(told?.in_place).toBe(inPlace)
}
