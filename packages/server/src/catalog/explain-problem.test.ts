import { describe, expect, it } from 'vitest'
import { createValidators } from './validator.ts'

const validators = createValidators('linear')
const SECRET = 'sk-secret-value'
const said = (schema: object, data: unknown) => validators.compile(schema)(data)
const of = (schema: object, value: unknown) => said({ type: 'object', properties: { f: schema } }, { f: value })

describe('what is said of data that does not match', () => {
  it.each<[object, unknown, string]>([
    [{ type: 'string' }, 1, 'is a string'],
    [{ type: 'integer' }, 1.5, 'is an integer'],
    [{ type: ['object', 'null'] }, 1, 'is an object or null'],
    [{ const: 'a' }, SECRET, 'is "a"'],
    [{ pattern: '^a' }, SECRET, 'matches the pattern ^a'],
    [{ format: 'uuid' }, SECRET, 'is a UUID'],
    [{ format: 'ipv4' }, SECRET, 'has the format ipv4'],
    [{ maxLength: 3 }, SECRET, 'has at most 3 characters'],
    [{ minLength: 1 }, '', 'is not empty'],
    [{ maximum: 3 }, 4, 'is at most 3'],
    [{ exclusiveMinimum: 3 }, 3, 'is more than 3'],
    [{ multipleOf: 2 }, 3, 'is a multiple of 2'],
    [{ minItems: 1 }, [], 'has at least 1 element'],
    [{ maxItems: 0 }, [1], 'has at most 0 elements'],
    [{ uniqueItems: true }, [1, 1], 'has no element twice'],
    [{ not: {} }, SECRET, 'does not satisfy not of the schema'],
  ])('%j', (schema, value, message) => {
    expect(of(schema, value)).toMatchObject([{ path: '/f', message }])
  })

  it('names the member that is missing, or not known, with its name escaped', () => {
    const schema = { type: 'object', properties: { 'a/b': {} }, required: ['a/b'], additionalProperties: false }
    expect(said(schema, { 'c~d': SECRET })).toMatchObject([
      { path: '/a~1b', message: 'is required' },
      { path: '/c~0d', message: 'is not among the fields of this type' },
    ])
    const beside = { type: 'object', dependentRequired: { a: ['b/c'] } }
    expect(said(beside, { a: SECRET })).toEqual([{ path: '/b~1c', message: 'is required beside "a"', fix: null }])
  })

  it('suggests a word that is close, of the schema and never of the data', () => {
    const [problem] = of({ enum: ['drafted', 'paid'] }, 'draftd')
    expect(problem).toEqual({ path: '/f', message: 'is one of "drafted", "paid"', fix: 'Use "drafted".' })
    expect(of({ enum: ['drafted'] }, SECRET)[0]?.fix).toBeNull()
  })

  it.each<[object]>([
    [{ anyOf: [{ const: 'a' }, { type: 'integer' }] }],
    [{ enum: ['a'], maxLength: 1, pattern: '^b', format: 'email', type: 'integer' }],
    [{ if: { type: 'integer' }, else: { maxLength: 2 } }],
  ])('never holds a value of the event: %j', (schema) => {
    const problems = of(schema, SECRET)
    expect(problems.length).toBeGreaterThan(0)
    expect(JSON.stringify(problems)).not.toContain('secret')
  })
})
