import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyValue, wholePair } from '../../test/whole-arbitraries.ts'
import { checkDataSchema } from '../core/schema/check-schema.ts'
import { patternProblem } from './linear-pattern.ts'
import { createValidators } from './validator.ts'

const { compile } = createValidators('linear')
const STRICT = { unevaluatedProperties: false }

describe('a compiled schema', () => {
  it.each<[string, object, unknown, unknown]>([
    [
      'patterns for names beside alternatives that look at every member',
      { patternProperties: { '^x': { type: 'integer' } }, anyOf: [{ additionalProperties: true }, { type: 'null' }] },
      { x: 1, y: 'z' },
      { x: 'one' },
    ],
    [
      'the same for either one or the other',
      { patternProperties: { '^x': { type: 'integer' } }, oneOf: [{ additionalProperties: true }, { type: 'null' }] },
      { x: 1 },
      { x: 'one' },
    ],
    [
      'members that nothing else has looked at',
      { properties: { a: {} }, anyOf: [{ properties: { b: {} }, required: ['b'] }, {}], ...STRICT },
      { a: 1, b: 2 },
      { a: 1, c: 2 },
    ],
    [
      'members seen by a definition',
      { $defs: { t: { properties: { b: {} } } }, allOf: [{ $ref: '#/$defs/t' }], ...STRICT },
      { b: 2 },
      { c: 2 },
    ],
  ])('holds %s', (_what, schema, valid, invalid) => {
    const validate = compile(schema)
    expect(validate(valid)).toEqual([])
    expect(validate(invalid)).not.toEqual([])
  })

  it('says something of every value, for every schema that may be registered', () => {
    let [registered, refused] = [0, 0]
    fc.assert(
      fc.property(wholePair, fc.array(anyValue, { minLength: 1, maxLength: 6 }), ([schema], values) => {
        if (checkDataSchema(schema, { patternProblem }).length > 0) return
        registered++
        const validate = compile(schema)
        for (const value of values) {
          const problems = validate({ f: value })
          if (problems.length > 0) refused++
          expect(problems.filter(({ message }) => message.includes('could not be held'))).toEqual([])
        }
      }),
      { numRuns: 400 },
    )
    expect(registered).toBeGreaterThan(100)
    expect(refused).toBeGreaterThan(100)
  })
})
