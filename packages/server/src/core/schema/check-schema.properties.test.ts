import { DATA_CLASSES } from '@runbell/sdk/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { patternProblem } from '../../catalog/linear-pattern.ts'
import { createValidators } from '../../catalog/validator.ts'
import { dataSchema, valueOf } from '../../../test/schema-arbitraries.ts'
import type { Schema } from '../../../test/schema-pairs.ts'
import { planCuts } from '../cut-plan.ts'
import { maskOf } from '../data-classes.ts'
import { scanJson } from '../json-scan.ts'
import { checkDataSchema } from './check-schema.ts'
import { shapeOf } from './data-shape.ts'

const RUNS = 500
const validators = createValidators('linear')
const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null

/** Keywords that hold of a value while nothing is cut out of it, and may not afterwards. */
const ASKED: Schema[] = [
  { uniqueItems: true },
  { minItems: 1 },
  { required: ['a'] },
  { minProperties: 1 },
  { dependentRequired: { a: ['b'] } },
  { contains: {} },
  { not: { maxProperties: 0 } },
  { anyOf: [{ required: ['a'] }, { required: ['b'] }, { type: ['array', 'string'] }] },
  { additionalProperties: false },
  { additionalProperties: { type: 'integer', 'x-data-class': 'prompt' } },
  { 'x-data-class': 'document' },
]

/** Asks more of some places, and writes some as references to definitions. */
function asking(schema: Schema, choices: readonly number[]): Schema {
  let next = 0
  const choice = () => choices[next++ % choices.length] as number
  const definitions: [string, unknown][] = []
  function vary(value: Schema): Schema {
    const more = choice() < 4 ? ASKED[choice() % ASKED.length] : {}
    const inner = inside(value)
    if (choice() > 2) return { ...inner, ...more }
    const name = `d${definitions.length}`
    definitions.push([name, inner])
    return { $ref: `#/$defs/${name}`, ...more }
  }
  function inside(value: Schema): Schema {
    const { properties, items } = value
    const fields = Object.entries((properties ?? {}) as Schema)
    const varied = Object.fromEntries(fields.map(([name, field]) => [name, vary(field as Schema)]))
    return {
      ...value,
      ...(properties === undefined ? {} : { properties: varied }),
      ...(isSchema(items) ? { items: vary(items) } : {}),
    }
  }
  const whole = { ...inside(schema), ...(choice() === 0 ? ASKED[choice() % ASKED.length] : {}) }
  return { ...whole, $defs: Object.fromEntries(definitions) }
}

const schemas = fc
  .tuple(dataSchema, fc.array(fc.nat(10), { minLength: 12, maxLength: 12 }))
  .map(([schema, choices]) => asking(schema, choices))

/** A schema without references, for the maker of values. */
function written(value: unknown, root: Schema): unknown {
  if (Array.isArray(value) || !isSchema(value)) return value
  const { $ref: reference, ...beside } = value
  const target = typeof reference === 'string' ? (root['$defs'] as Schema)[reference.slice('#/$defs/'.length)] : {}
  const all = { ...(isSchema(target) ? target : {}), ...beside }
  return Object.fromEntries(Object.entries(all).map(([name, inner]) => [name, written(inner, root)]))
}

describe('a schema that is not refused', () => {
  const grants = fc.subarray(DATA_CLASSES.filter((name) => name !== 'credential'))
  const accepted = schemas.filter((schema) => checkDataSchema(schema, { patternProblem }).length === 0)
  const sampled = accepted.chain((schema) =>
    fc.tuple(fc.constant(schema), fc.array(valueOf(written(schema, schema) as Schema), { minLength: 3, maxLength: 3 })),
  )

  it('leaves data valid whatever is cut out of it', () => {
    const seen = { cut: 0, whole: 0 }
    fc.assert(
      fc.property(sampled, grants, ([schema, values], granted) => {
        const validate = validators.compile(schema)
        for (const value of values) {
          if (validate(value).length > 0) continue
          const scan = scanJson(Buffer.from(JSON.stringify(value)))
          if (!scan.ok) continue
          const { data } = planCuts(scan.json, 0, shapeOf(schema)).cut(maskOf(['public', 'summary', ...granted]))
          seen[data === null ? 'whole' : 'cut']++
          const left = data === null ? value : (JSON.parse(Buffer.from(data).toString()) as unknown)
          expect(validate(left), JSON.stringify({ schema, value, left })).toEqual([])
        }
      }),
      { numRuns: RUNS },
    )
    // The property says something only if both occur.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(RUNS / 10)
  })

  it('has a class for all that travels', () => {
    fc.assert(
      fc.property(sampled, ([schema, values]) => {
        for (const value of values) {
          if (validators.compile(schema)(value).length > 0) continue
          const scan = scanJson(Buffer.from(JSON.stringify(value)))
          if (scan.ok) expect(planCuts(scan.json, 0, shapeOf(schema)).hasUnknown).toBe(false)
        }
      }),
      { numRuns: RUNS / 5 },
    )
  })
})
