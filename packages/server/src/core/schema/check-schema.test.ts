import { BUILT_IN_TYPES, SERVICE_TYPES } from '@runbell/sdk/catalog'
import { DATA_CLASSES } from '@runbell/sdk/contract'
import { describe, expect, it } from 'vitest'
import { patternProblem } from '../../catalog/linear-pattern.ts'
import { PUBLIC, field, object, text, type Schema } from '../../../test/schema-pairs.ts'
import { checkDataSchema } from './check-schema.ts'

const check = (schema: unknown) => checkDataSchema(schema, { patternProblem })
const classed = (name: string) => ({ type: 'string', maxLength: 100, 'x-data-class': name })

describe('a schema that can be registered', () => {
  it.each([...BUILT_IN_TYPES, ...SERVICE_TYPES])('is that of %s', (_name, { versions }) => {
    for (const { schema } of versions) expect(check(schema)).toEqual([])
  })

  it.each(DATA_CLASSES.filter((name) => name !== 'credential'))('has fields of the class %s', (name) => {
    expect(check(field(classed(name)))).toEqual([])
  })

  it.each<[string, Schema]>([
    ['one class for all of it', { type: 'object', ...PUBLIC }],
    ['a class for a whole object', field({ type: 'object', 'x-data-class': 'document' })],
    ['any words inside a value that has a class', field({ anyOf: [{ type: 'string' }, { type: 'null' }], ...PUBLIC })],
    ['objects in lists', field({ type: 'array', items: object({ a: text, b: classed('prompt') }, ['a']) })],
    ['members of any name, each of a class', field({ type: 'object', additionalProperties: classed('public') })],
    ['definitions', { ...field({ $ref: '#/$defs/thing' }), $defs: { thing: object({ a: text }) } }],
    ['a class beside a reference', { ...field({ $ref: '#/$defs/t', ...PUBLIC }), $defs: { t: { type: 'string' } } }],
    ['a required summary', field(classed('summary'), true)],
    ['no fields', object({})],
    ['a dialect', { ...object({}), $schema: 'https://json-schema.org/draft/2020-12/schema' }],
    ['keywords of its own', { ...field({ ...text, 'x-owner': 'billing' }), 'x-team': 1 }],
    ['names of Object.prototype', object({ constructor: text, toString: text, hasOwnProperty: text })],
    ['a pattern', field({ ...text, pattern: '^[a-z]{1,20}-\\d+$' })],
  ])('has %s', (_what, schema) => {
    expect(check(schema)).toEqual([])
  })
})

describe('a schema that is refused', () => {
  it.each<[string, unknown, string, string]>([
    ['data that is no object', { type: 'array', items: text }, '/type', 'object'],
    ['nothing', null, '/type', 'object'],
    ['a text', 'object', '/type', 'object'],
    ['a field without a class', field({ type: 'string' }), '/properties/f', 'no data class'],
    ['a field that is anything', field({}), '/properties/f', 'no data class'],
    ['a field that is true', field(true), '/properties/f', 'no data class'],
    ['a list without a class', field({ type: 'array' }), '/properties/f', 'no data class'],
    [
      'elements without a class',
      field({ type: 'array', items: { type: 'string' } }),
      '/properties/f/items',
      'no data class',
    ],
    ['a class nobody knows', field(classed('secret')), '/properties/f/x-data-class', 'not a data class'],
    ['the class of Object.prototype', field(classed('constructor')), '/properties/f/x-data-class', 'not a data class'],
    ['a credential', field(classed('credential')), '/properties/f/x-data-class', 'never delivered'],
    [
      'a class inside a class',
      field({ ...object({ a: classed('prompt') }), ...PUBLIC }),
      '/properties/f/properties/a/x-data-class',
      'inside a value that has a class',
    ],
    ['a required prompt', field(classed('prompt'), true), '/properties/f', 'is required and prompt'],
    [
      'a required prompt in a required object',
      field(object({ a: classed('prompt') }, ['a']), true),
      '/properties/f/properties/a',
      'is required and prompt',
    ],
    [
      'a required prompt in an optional object',
      field(object({ a: classed('prompt') }, ['a'])),
      '/properties/f/properties/a',
      'is required and prompt',
    ],
    [
      'a required prompt in elements',
      field({ type: 'array', items: object({ a: classed('prompt') }, ['a']) }),
      '/properties/f/items/properties/a',
      'is required',
    ],
    [
      'elements that must be there and may be cut',
      field({ type: 'array', minItems: 1, items: classed('prompt') }),
      '/properties/f/minItems',
      'must have elements',
    ],
    ['a required field that is not described', object({}, ['a']), '/required', 'not among the properties'],
    ['a long summary', field({ type: 'string', 'x-data-class': 'summary' }), '/properties/f', 'short text'],
    [
      'a summary that is an object',
      field({ type: 'object', 'x-data-class': 'summary' }),
      '/properties/f',
      'short text',
    ],
    ['a combination without a class', field({ anyOf: [text, text] }), '/properties/f/anyOf', 'needs a data class'],
    ['a condition on the whole', { ...field(text), if: {}, else: {} }, '/if', 'needs a data class'],
    ['a count of members', { ...field(text), minProperties: 1 }, '/minProperties', 'needs a data class'],
    ['a reference to another server', field({ $ref: 'https://schemas.test/a.json' }), '/properties/f/$ref', 'outside'],
    ['a reference to a file', field({ $ref: 'file:///etc/passwd' }), '/properties/f/$ref', 'outside'],
    ['a reference to nothing', field({ $ref: '#/$defs/none' }), '/properties/f/$ref', 'nothing'],
    ['a reference to a prototype', field({ $ref: '#/constructor' }), '/properties/f/$ref', 'nothing'],
    ['a reference to itself', field({ $ref: '#' }), '', 'refers to itself'],
    [
      'a circle of references',
      { ...field({ $ref: '#/$defs/a' }), $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
      '',
      'refers to itself',
    ],
    ['an id', { ...object({}), $id: 'https://schemas.test/a.json' }, '/$id', 'not a keyword'],
    ['an anchor', { ...object({}), $dynamicRef: '#a' }, '/$dynamicRef', 'not a keyword'],
    ['a keyword with a slip', field({ ...text, maxlength: 5 }), '/properties/f/maxlength', 'not a keyword'],
    ['another dialect', { ...object({}), $schema: 'http://json-schema.org/draft-07/schema#' }, '/$schema', 'dialect'],
    ['a format nobody checks', field({ ...text, format: 'iban' }), '/properties/f/format', 'format'],
    ['an x-open that is no flag', field({ ...text, 'x-open': 'yes' }), '/properties/f/x-open', 'true or false'],
    ['an empty set of words', field({ enum: [], ...PUBLIC }), '/properties/f/enum', '1 to'],
    ['look-ahead', field({ ...text, pattern: '^(?=a)' }), '/properties/f/pattern', 'linear time'],
    ['look-behind', field({ ...text, pattern: '(?<=a)b' }), '/properties/f/pattern', 'linear time'],
    ['a backreference', field({ ...text, pattern: '(a)\\1' }), '/properties/f/pattern', 'linear time'],
    ['a pattern that is none', field({ ...text, pattern: '(' }), '/properties/f/pattern', 'regular expression'],
    [
      'a repeat of a repeat of a repeat',
      field({ ...text, pattern: '((a{1000}){1000}){1000}' }),
      '/properties/f/pattern',
      'repeat',
    ],
    ['a long pattern', field({ ...text, pattern: 'a'.repeat(257) }), '/properties/f/pattern', '256'],
    [
      'a pattern for names',
      field({ type: 'object', patternProperties: { '(?=a)': text }, ...PUBLIC }),
      '/properties/f/patternProperties',
      'linear time',
    ],
  ])('has %s', (_what, schema, path, message) => {
    const problems = check(schema)
    expect(problems.map((problem) => problem.path)).toContain(path)
    const told = problems.find((problem) => problem.path === path)
    expect(told?.message).toContain(message)
    expect(told?.fix.length).toBeGreaterThan(5)
  })

  it('suggests the keyword that was meant', () => {
    expect(check(field({ ...text, maxlength: 5 }))[0]?.fix).toBe('Use "maxLength".')
  })

  it('is nested too deep, refers to others too often, or is wrong in too many places, and none of it takes long', () => {
    let deep: Schema = text
    for (let depth = 0; depth < 200; depth++) deep = field(deep)
    expect(check(deep)[0]?.message).toContain('deeper')
    const doubling: Record<string, unknown> = { d0: text }
    for (let step = 1; step <= 30; step++) {
      const half = { $ref: `#/$defs/d${step - 1}` }
      doubling[`d${step}`] = object({ a: half, b: half })
    }
    const startedAt = performance.now()
    expect(check({ ...field({ $ref: '#/$defs/d30' }), $defs: doubling })[0]?.message).toContain(
      'every reference followed',
    )
    const wrong = Object.fromEntries(Array.from({ length: 2000 }, (_, n) => [`f${n}`, { type: 'string' }]))
    expect(check(object(wrong)).length).toBe(20)
    expect(performance.now() - startedAt).toBeLessThan(1000)
  })
})
