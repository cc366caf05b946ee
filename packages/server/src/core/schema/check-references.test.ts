import { describe, expect, it } from 'vitest'
import { patternProblem } from '../../catalog/linear-pattern.ts'
import { PUBLIC, field, object, text, words, type Schema } from '../../../test/schema-pairs.ts'
import { checkDataSchema } from './check-schema.ts'
import { shapeOf } from './data-shape.ts'

const check = (schema: unknown) => checkDataSchema(schema, { patternProblem })
const PROMPT = { type: 'string', 'x-data-class': 'prompt' }
const T = { $ref: '#/$defs/t' }
const defs = (schema: Schema, definition: unknown, more: Schema = {}) => ({
  ...field(schema),
  $defs: { t: definition, ...more },
})
const named = (name: string, schema: unknown) => JSON.parse(`{"${name}":${JSON.stringify(schema)}}`) as Schema
const from = (fields: Schema, required = ['c']) =>
  field({ ...object({ c: words('prompt', 'memory'), ...fields }, required), 'x-data-class-from': 'c' })
const F = '/properties/f'

type Case = [string, unknown, string, string]
/** What cutting would leave behind that is not valid, or take for what it is not. */
const UNCUT: Case[] = [
  [
    'a class beside a reference to another one',
    defs({ ...T, ...PUBLIC }, PROMPT),
    `${F}/$ref/x-data-class`,
    'inside a',
  ],
  [
    'a required member beside a reference',
    defs({ ...T, required: ['a'] }, object({ a: PROMPT })),
    `${F}/required`,
    'beside',
  ],
  [
    'elements beside a reference',
    defs({ ...T, minItems: 1 }, { type: 'array', items: PROMPT }),
    `${F}/minItems`,
    'beside',
  ],
  ['fields beside a reference', defs({ ...T, properties: { b: text } }, object({})), `${F}/properties`, 'beside'],
  ['a bound said twice', defs({ ...T, maxLength: 9 }, { ...text, maxLength: 5 }), `${F}/maxLength`, 'otherwise'],
  [
    'elements that may be cut, by two references',
    defs({ type: 'array', minItems: 1, items: { $ref: '#/$defs/a' } }, PROMPT, { a: T }),
    `${F}/minItems`,
    'must have elements',
  ],
  ['a required prompt by reference', { ...field(T, true), $defs: { t: PROMPT } }, F, 'is required and prompt'],
  [
    'elements that are unique only while they are whole',
    field({ type: 'array', uniqueItems: true, items: object({ a: text, b: PROMPT }) }),
    `${F}/uniqueItems`,
    'two could be the same',
  ],
  ['words for an object', field({ ...object({ a: PROMPT }), enum: [{ a: 'x' }] }), `${F}/enum`, 'needs a data class'],
  ['a constant object', field({ ...object({ a: PROMPT }), const: { a: 'x' } }), `${F}/const`, 'needs a data class'],
  [
    'a list that is described as an object, too',
    field({ type: 'array', items: PROMPT, minItems: 1, additionalProperties: text }),
    `${F}/minItems`,
    'must have elements',
  ],
  ['fields of what may be a text', field({ properties: { a: text } }), `${F}/type`, 'another type'],
  [
    'an object that may be null',
    field({ ...object({ a: text }), type: ['object', 'null'] }),
    `${F}/type`,
    'another type',
  ],
  ['elements of what may be a text', field({ items: text }), `${F}/type`, 'another type'],
  ...['minProperties', 'anyOf', 'not', 'if', 'enum'].map((keyword): Case => [
    `${keyword} while all may be cut`,
    {
      type: 'object',
      [keyword]: keyword === 'minProperties' ? 1 : ['anyOf', 'enum'].includes(keyword) ? [{}] : {},
      'x-data-class': 'document',
    },
    `/${keyword}`,
    'all of the data is document',
  ]),
  ['a summary among numbers', field({ enum: [1], 'x-data-class': 'summary' }), F, 'short text'],
  ['a long constant summary', field({ const: 'x'.repeat(1001), 'x-data-class': 'summary' }), F, 'short text'],
  ['a value that is no mask', from({ v: { type: 'string', not: {} } }), `${F}/properties/v`, 'cannot be masked'],
  ['a value too short for its mask', from({ v: { type: 'string', maxLength: 2 } }), `${F}/properties/v`, 'cannot be'],
  [
    'a value whose definition asks for more',
    { ...from({ v: { type: 'string', ...T } }), $defs: { t: { pattern: '^a' } } },
    `${F}/properties/v`,
    'cannot be masked',
  ],
  [
    'a flag that cannot say that something is masked',
    from({ v: { type: 'string' }, masked: { const: false, ...PUBLIC } }),
    `${F}/properties/masked`,
    'set to true',
  ],
  ['a class nobody has to name', from({ v: { type: 'string' } }, []), `${F}/x-data-class-from`, 'does not name'],
]

/** What leads somewhere else than it seems to, or is read in different ways. */
const LEADING: Case[] = [
  ['percent-encoding', defs({ $ref: '#/$defs/a%20b' }, text, { 'a b': PROMPT, 'a%20b': text }), `${F}/$ref`, 'percent'],
  ['percent-encoding that is none', defs({ $ref: '#/$defs/%' }, text, { '%': text }), `${F}/$ref`, 'percent'],
  ['a reference to what is not checked', { ...field({ $ref: '#/x-lib' }), 'x-lib': text }, `${F}/$ref`, 'no schema'],
  ['a reference to a default', { ...field({ $ref: '#/default' }), default: text }, `${F}/$ref`, 'no schema'],
  ['a reference to all fields', object({ f: { $ref: '#/properties' }, type: text }), `${F}/$ref`, 'no schema'],
  ['a reference by anchor', defs({ $ref: '#t' }, text), `${F}/$ref`, 'no schema'],
  ['a reference that is no text', defs({ $ref: 7 }, text), `${F}/$ref`, 'no schema'],
  ['a field called __proto__', object(named('__proto__', text)), '/properties/__proto__', 'pass over'],
  [
    'a definition called __proto__',
    { ...field(text), $defs: named('__proto__', text) },
    '/$defs/__proto__',
    'pass over',
  ],
  ['__proto__ required', field({ type: 'object', required: ['__proto__'], ...PUBLIC }), `${F}/required`, 'pass over'],
  [
    'patterns for names beside alternatives, where the validator keeps track and fails',
    field({ patternProperties: { '^x': {} }, anyOf: [{}], unevaluatedProperties: false, ...PUBLIC }),
    `${F}/patternProperties`,
    'beside anyOf',
  ],
  [
    'something that a list must contain beside its first elements, where the validator lets an empty list through',
    field({ prefixItems: [{ type: 'string' }], contains: { const: 'a' }, ...PUBLIC }),
    `${F}/contains`,
    'beside prefixItems',
  ],
]

describe.each([
  ['asks for more than cutting leaves', UNCUT],
  ['leads somewhere else', LEADING],
])('a schema that %s', (_why, cases) => {
  it.each(cases)('is refused: %s', (_what, schema, path, message) => {
    const found = check(schema)
    expect(found.find((problem) => problem.path === path && problem.message.includes(message))).toBeDefined()
    for (const { fix } of found) expect(fix.length).toBeGreaterThan(5)
  })
})

describe('a schema that is not refused', () => {
  it.each<[string, Schema]>([
    ['a summary by reference', defs({ ...T, 'x-data-class': 'summary' }, { type: 'string', maxLength: 100 })],
    ['a reference into a field', object({ a: text, b: { $ref: '#/properties/a' } })],
    ['a name that has to be escaped', defs({ $ref: '#/$defs/a~1b~0c' }, text, { 'a/b~c': text })],
    ['words and a bound beside a reference', defs({ ...T, maxLength: 5, title: 'T', 'x-owner': 'b' }, text)],
    ['the same bound in both places', defs({ ...T, type: 'string' }, text)],
    ['a flag beside a masked value', from({ v: { type: 'string' }, masked: { type: 'boolean', ...PUBLIC } })],
    ['a document with required parts', field({ type: 'object', required: ['a'], 'x-data-class': 'document' })],
    [
      'patterns for names beside alternatives',
      field({ patternProperties: { '^x': {} }, anyOf: [{ additionalProperties: true }], ...PUBLIC }),
    ],
    ['unique elements of one class', field({ type: 'array', uniqueItems: true, minItems: 1, items: text })],
    ['a name of Object.prototype', { ...object({ valueOf: { $ref: '#/$defs/toString' } }), $defs: { toString: text } }],
  ])('has %s', (_what, schema) => {
    expect(check(schema)).toEqual([])
  })
})

describe('a hostile schema', () => {
  const linked = (length: number, link: (next: Schema) => Schema) => {
    const links = Array.from({ length }, (_, n) => [`a${n}`, link({ $ref: `#/$defs/a${n + 1}` })])
    return { ...field({ $ref: '#/$defs/a0' }), $defs: { ...Object.fromEntries(links), [`a${length}`]: text } }
  }

  it.each<[string, unknown, string]>([
    ['a chain of references', linked(2500, (next) => next), 'nested deeper than 64'],
    ['a nest of references', linked(1500, (next) => object({ x: next })), 'nested deeper than 64'],
    ['a circle through fields', defs(T, object({ a: T })), 'refers to itself'],
    ['a circle inside a class', defs({ anyOf: [T], ...PUBLIC }, { items: T }), 'refers to itself'],
    [
      '5001 fields',
      object(Object.fromEntries(Array.from({ length: 5001 }, (_, n) => [`f${n}`, text]))),
      'more than 5000',
    ],
    ['201 words', field(words(...Array.from({ length: 201 }, (_, n) => n))), '1 to 200'],
  ])('ends at once: %s', (_what, schema, message) => {
    expect(check(schema)[0]?.message).toContain(message)
  })

  it.each<[string, unknown]>([
    ['keywords of other kinds', { type: 'object', properties: [], required: 'a', $defs: 1, items: null }],
    ['a list', [{ type: 'object' }]],
    ['fields that are texts', object({ a: 'text', b: null, c: [] })],
    ['a class that is an object', field({ 'x-data-class': { a: 1 } })],
    ['a class named by a list', field({ ...object({ c: text }), 'x-data-class-from': ['c'] })],
  ])('is refused without a fault: %s', (_what, schema) => {
    expect(check(schema).length).toBeGreaterThan(0)
  })
})

describe('the shape of data', () => {
  it('has the pattern of a definition, and one beside a reference: such strings are never masked', () => {
    const fixed = (schema: Schema) => shapeOf(schema).properties?.get('f')?.fixed
    expect(fixed(defs({ ...T, ...PUBLIC }, { type: 'string', pattern: '^a' }))).toBe(true)
    expect(fixed(defs({ ...T, pattern: '^a' }, text))).toBe(true)
    expect(fixed(defs(T, text))).toBe(false)
    const both = { ...object({ f: { ...T, pattern: '^a' }, g: T }), $defs: { t: text } }
    expect(shapeOf(both).properties?.get('g')?.fixed).toBe(false)
  })
})
