import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dataSchema, schemaPair, valueOf } from '../../../test/schema-arbitraries.ts'
import type { Schema } from '../../../test/schema-pairs.ts'
import { anyValue, wholePair } from '../../../test/whole-arbitraries.ts'
import { patternProblem } from '../../catalog/linear-pattern.ts'
import { checkDataSchema } from './check-schema.ts'
import { compareSchemas } from './compare-schemas.ts'
import { readOpenly } from './read-openly.ts'

/** `RUNBELL_COMPARE_RUNS` makes it look longer. */
const RUNS = Number(process.env['RUNBELL_COMPARE_RUNS'] ?? 400)

const ajv = new Ajv2020({ strict: false, addUsedSchema: false, meta: false, validateSchema: false })

function validator(schema: object): (value: unknown) => boolean {
  const validate = ajv.compile(schema)
  ajv.removeSchema(schema)
  return (value) => validate(value)
}

describe('what is not breaking', () => {
  it('is valid for consumers of the schema before, whatever is sent under the new one', () => {
    const seen = { additive: 0, unchanged: 0, breaking: 0, values: 0 }
    const sampled = schemaPair.chain(([before, after]) =>
      fc.tuple(fc.constant(before), fc.constant(after), fc.array(valueOf(after), { minLength: 3, maxLength: 3 })),
    )
    fc.assert(
      fc.property(sampled, ([before, after, values]) => {
        const { verdict } = compareSchemas(before, after)
        seen[verdict]++
        if (verdict === 'breaking') return
        const [old, fresh] = [validator(readOpenly(before)), validator(after)]
        for (const value of values) {
          if (!fresh(value)) continue
          seen.values++
          expect(old(value), JSON.stringify({ before, after, value })).toBe(true)
        }
      }),
      { numRuns: RUNS },
    )
    // The property says something only if all of them occur.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(RUNS / 30)
  })

  it('is so for every keyword that a value with one class may have, and for definitions', () => {
    const seen = { additive: 0, unchanged: 0, breaking: 0, values: 0 }
    const registered = wholePair.filter((pair) =>
      pair.every((schema) => checkDataSchema(schema, { patternProblem }).length === 0),
    )
    fc.assert(
      fc.property(registered, fc.array(anyValue, { minLength: 8, maxLength: 8 }), ([before, after], values) => {
        const { verdict } = compareSchemas(before, after)
        seen[verdict]++
        if (verdict === 'breaking') return
        const [old, fresh] = [validator(readOpenly(before)), validator(after)]
        for (const f of values) {
          if (!fresh({ f })) continue
          seen.values++
          expect(old({ f }), JSON.stringify({ before, after, f })).toBe(true)
        }
      }),
      { numRuns: RUNS },
    )
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(RUNS / 30)
  })

  it('is never found where a value of the new schema is refused by the old one', () => {
    const sampled = fc
      .tuple(dataSchema, dataSchema)
      .chain(([before, after]) => fc.tuple(fc.constant(before), fc.constant(after), valueOf(after)))
    let refusals = 0
    fc.assert(
      fc.property(sampled, ([before, after, value]) => {
        if (!validator(after)(value) || validator(readOpenly(before))(value)) return
        refusals++
        expect(compareSchemas(before, after).verdict).toBe('breaking')
      }),
      { numRuns: RUNS / 5 },
    )
    expect(refusals).toBeGreaterThan(RUNS / 50)
  })
})

describe('a schema written in another way', () => {
  it('is unchanged, with its members in another order, with words, and with parts in $defs', () => {
    fc.assert(
      fc.property(dataSchema, (schema) => {
        expect(compareSchemas(schema, turned(schema) as Schema)).toEqual({ verdict: 'unchanged', changes: [] })
        expect(compareSchemas(schema, referring(schema)).verdict).toBe('unchanged')
        expect(compareSchemas(referring(schema), schema).verdict).toBe('unchanged')
      }),
      { numRuns: RUNS / 5 },
    )
  })
})

function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([name, inner]) => [name, turned(inner)])
  return Object.fromEntries([...members.toReversed()])
}

/** The same with every field of the data in `$defs`. */
function referring(schema: Schema): Schema {
  const fields = schema['properties'] as Schema
  const references = Object.keys(fields).map((name) => [name, { $ref: `#/$defs/${name}`, description: 'There.' }])
  return { ...schema, properties: Object.fromEntries(references), $defs: fields }
}
