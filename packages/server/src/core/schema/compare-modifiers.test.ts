import { describe, expect, it } from 'vitest'
import {
  PUBLIC,
  expectVerdict,
  field,
  number,
  object,
  text,
  words,
  type Pair,
  type Schema,
} from '../../../test/schema-pairs.ts'
import { compareSchemas } from './compare-schemas.ts'

const integer = { type: 'integer' }
const string = { type: 'string' }
const list = (more: Schema) => field({ type: 'array', ...more, ...PUBLIC })
const members = (more: Schema) => field({ type: 'object', ...more, ...PUBLIC })
const defs = (schema: Schema, definition: unknown, name = 'thing') => ({
  ...field(schema),
  $defs: { [name]: definition },
})

/** What one keyword says depends on another one beside it. */
const MODIFIERS: Pair[] = [
  [
    'a name taken out of what all other members are',
    field(object({ a: text }, [], { additionalProperties: number })),
    field(object({ a: text, b: text }, [], { additionalProperties: number })),
    'breaking',
    '/f/b',
    'was integer',
  ],
  [
    'a name that is what all other members are',
    field(object({}, [], { additionalProperties: number })),
    field(object({ b: number }, [], { additionalProperties: number })),
    'unchanged',
  ],
  [
    'a name that is always among the other members now',
    field(object({}, [], { additionalProperties: number })),
    field(object({ b: number }, ['b'], { additionalProperties: number })),
    'additive',
    '/f/b',
    'always there now',
    false,
  ],
  [
    'a pattern of names that takes members out of the others',
    members({ additionalProperties: integer }),
    members({ additionalProperties: integer, patternProperties: { '^x': string } }),
    'breaking',
    '/f/patternProperties',
    'cannot be shown',
  ],
  [
    'a pattern of names where the others could be anything',
    members({}),
    members({ patternProperties: { '^x': string } }),
    'additive',
    '/f',
    'less can come',
    false,
  ],
  [
    'a name that a pattern may be about',
    members({ patternProperties: { '^x': integer } }),
    members({ patternProperties: { '^x': integer }, properties: { x1: string } }),
    'breaking',
    '/f/patternProperties',
    'cannot be shown',
  ],
  [
    'first elements that are taken out of all',
    list({ items: integer }),
    list({ items: integer, prefixItems: [string] }),
    'breaking',
    '/f/prefixItems',
    'cannot be shown',
  ],
  [
    'first elements where all could be anything',
    list({}),
    list({ prefixItems: [string] }),
    'additive',
    '/f',
    '',
    false,
  ],
  [
    'an element that need not be there any more',
    list({ contains: integer }),
    list({ contains: integer, minContains: 0 }),
    'breaking',
    '/f',
    'minContains from 1 to 0',
  ],
  [
    'minContains said and not said',
    list({ contains: integer }),
    list({ contains: integer, minContains: 1 }),
    'unchanged',
  ],
  ['how often nothing is there', list({ minContains: 2 }), list({ minContains: 1 }), 'unchanged'],
  [
    'an element that is there more often',
    list({ contains: integer }),
    list({ contains: integer, minContains: 2 }),
    'additive',
    '/f',
    'minContains from 1 to 2',
    false,
  ],
  [
    'an element that may be there more often',
    list({ contains: integer, maxContains: 1 }),
    list({ contains: integer }),
    'breaking',
    '/f',
    'maxContains from 1 to none',
  ],
  [
    'a name that was among what is left over',
    members({ unevaluatedProperties: integer }),
    members({ unevaluatedProperties: integer, properties: { a: string } }),
    'breaking',
    '/f/unevaluatedProperties',
    'cannot be shown',
  ],
  [
    'elements that were among what is left over',
    list({ unevaluatedItems: false }),
    list({ unevaluatedItems: false, items: string }),
    'breaking',
    '/f/unevaluatedItems',
    'cannot be shown',
  ],
  ['members left over, which consumers pass over', members({ unevaluatedProperties: false }), members({}), 'unchanged'],
  [
    'the same beside what is left over',
    members({ unevaluatedProperties: integer, minProperties: 1 }),
    members({ minProperties: 1, unevaluatedProperties: integer }),
    'unchanged',
  ],
]

/** What is not there, what may be anything, and what may be nothing. */
const ABSENCE: Pair[] = [
  ['no elements could be inside', list({ items: false }), list({}), 'breaking', '/f/*', 'nothing could be inside'],
  [
    'no elements, and now texts',
    list({ items: false }),
    list({ items: string }),
    'breaking',
    '/f/*',
    'nothing could be',
  ],
  [
    'no elements any more',
    list({ items: string }),
    list({ items: false }),
    'additive',
    '/f/*',
    'nothing is inside',
    false,
  ],
  ['elements that are anything, said and not said', list({ items: true }), list({ items: {} }), 'unchanged'],
  [
    'members without a name, not described any more',
    field({ type: 'object', additionalProperties: text }),
    field(object({})),
    'breaking',
    '/f/*',
    'not described any more',
  ],
  [
    'members without a name, described now',
    object({ a: text }, [], { additionalProperties: false }),
    object({ a: text }, [], { additionalProperties: text }),
    'additive',
    '/*',
    'described now',
    false,
  ],
  [
    'members without a description refused from producers',
    object({ a: text }),
    object({ a: text }, [], { additionalProperties: false }),
    'additive',
    '',
    'refused from producers',
    false,
  ],
  [
    'members without a description let in, which consumers pass over',
    object({ a: text }, [], { additionalProperties: false }),
    object({ a: text }),
    'unchanged',
  ],
  [
    'a field more where no others were allowed',
    object({ a: text }, [], { additionalProperties: false }),
    object({ a: text, b: text }, [], { additionalProperties: false }),
    'additive',
    '/b',
    'pass over',
    true,
  ],
  [
    'a name required without a description, and not any more',
    members({ required: ['a'] }),
    members({}),
    'breaking',
    '/f/a',
    'may be missing now',
  ],
  [
    'a name required without a description, and described as optional',
    members({ required: ['a'] }),
    members({ properties: { a: string } }),
    'breaking',
    '/f/a',
    'may be missing now',
  ],
  ['a name required without a description', members({}), members({ required: ['a'] }), 'additive', '/f/a', '', false],
  ['a length of at least 0', field({ ...text, minLength: 0 }), field(text), 'unchanged'],
  ['at least no elements', list({}), list({ minItems: 0 }), 'unchanged'],
  ['elements that may be twice, said and not said', list({ uniqueItems: false }), list({}), 'unchanged'],
  [
    'whole numbers among numbers',
    field({ type: ['integer', 'number'], ...PUBLIC }),
    field({ type: 'number', ...PUBLIC }),
    'unchanged',
  ],
  [
    'a field that could not be there',
    object({ a: false }),
    object({ a: text }),
    'breaking',
    '/a/not',
    'cannot be shown',
  ],
]

/** The same, said in another way; and another thing, said in the same way. */
const WRITTEN: Pair[] = [
  [
    'a definition inside an anyOf that changed',
    defs({ anyOf: [{ $ref: '#/$defs/thing' }], ...PUBLIC }, string),
    defs({ anyOf: [{ $ref: '#/$defs/thing' }], ...PUBLIC }, integer),
    'breaking',
    '/f/anyOf',
    'cannot be shown',
  ],
  [
    'a definition of a definition inside a pattern that changed',
    {
      ...members({ patternProperties: { '^x': { $ref: '#/$defs/a' } } }),
      $defs: { a: { items: { $ref: '#/$defs/b' } }, b: string },
    },
    {
      ...members({ patternProperties: { '^x': { $ref: '#/$defs/a' } } }),
      $defs: { a: { items: { $ref: '#/$defs/b' } }, b: integer },
    },
    'breaking',
    '/f/patternProperties',
    'cannot be shown',
  ],
  [
    'an anyOf whose part has moved into $defs',
    field({ anyOf: [string], ...PUBLIC }),
    defs({ anyOf: [{ $ref: '#/$defs/thing' }], ...PUBLIC }, string),
    'unchanged',
  ],
  [
    'the order of the keywords in an anyOf',
    field({ anyOf: [{ type: 'string', maxLength: 3 }], ...PUBLIC }),
    field({ anyOf: [{ maxLength: 3, type: 'string' }], ...PUBLIC }),
    'unchanged',
  ],
  [
    'words in an anyOf',
    field({ anyOf: [string], ...PUBLIC }),
    field({ anyOf: [{ ...string, description: 'A name.', 'x-owner': 'billing' }], ...PUBLIC }),
    'unchanged',
  ],
  [
    'a field in an anyOf that may grow from now on',
    field({ anyOf: [{ enum: ['a'] }], ...PUBLIC }),
    field({ anyOf: [{ enum: ['a'], 'x-open': true }], ...PUBLIC }),
    'breaking',
    '/f/anyOf',
    '',
  ],
  ['the order of members of a word', field(words({ a: 1, b: 2 })), field(words({ b: 2, a: 1 })), 'unchanged'],
  ['a word with other members', field(words({ a: 1 })), field(words({ a: 2 })), 'breaking', '/f', '{"a":2} can come'],
  [
    'a constant beside a set of words',
    field({ const: 'a', enum: ['a', 'b'], ...PUBLIC }),
    field(words('a', 'b')),
    'breaking',
    '/f',
    '"b" can come',
  ],
  [
    'words that may grow, by reference',
    defs({ $ref: '#/$defs/thing', 'x-open': true }, words('a')),
    defs({ $ref: '#/$defs/thing', 'x-open': true }, words('a', 'b')),
    'additive',
    '/f',
    'may grow',
    true,
  ],
  [
    'a class by reference',
    defs({ $ref: '#/$defs/thing' }, text),
    defs({ $ref: '#/$defs/thing' }, { ...text, 'x-data-class': 'memory' }),
    'breaking',
    '/f',
    'was public and is memory',
  ],
]

describe.each([
  ['keywords that change what others say', MODIFIERS],
  ['what is not there', ABSENCE],
  ['what is written in another way', WRITTEN],
])('the verdict on %s', (_topic, pairs) => {
  it.each(pairs.map((pair) => [pair[0], pair] as const))('%s', (_what, pair) => expectVerdict(pair))
})

describe('the changes', () => {
  it('name every place where a definition is used', () => {
    const twice = (definition: unknown) => ({
      ...object({ a: { $ref: '#/$defs/t' }, b: { type: 'array', items: { $ref: '#/$defs/t' } } }),
      $defs: { t: definition },
    })
    const { changes } = compareSchemas(twice(object({ x: text })), twice(object({ x: number })))
    expect(changes.map(({ path }) => path)).toEqual(['/a/x', '/b/*/x'])
  })

  it('take no time that doubles with each definition, though each place is compared', () => {
    const doubling = (leaf: unknown) => {
      const $defs: Schema = { d0: object({ leaf }) }
      for (let step = 1; step <= 40; step++) {
        const half = { $ref: `#/$defs/d${step - 1}` }
        $defs[`d${step}`] = object({ a: half, b: half })
      }
      return { ...field({ $ref: '#/$defs/d40' }), $defs }
    }
    const startedAt = performance.now()
    expect(compareSchemas(doubling(text), doubling(number)).verdict).toBe('breaking')
    expect(performance.now() - startedAt).toBeLessThan(1000)
  })

  it('are found behind a long chain of references', () => {
    const chain = (leaf: unknown) => {
      const links = Array.from({ length: 60 }, (_, n) => [`a${n}`, { $ref: `#/$defs/a${n + 1}` }])
      return { ...field({ $ref: '#/$defs/a0' }), $defs: { ...Object.fromEntries(links), a60: leaf } }
    }
    expect(compareSchemas(chain(text), chain(number)).verdict).toBe('breaking')
    expect(compareSchemas(chain(text), field(text)).verdict).toBe('unchanged')
  })

  it('are found where one object is used in both schemas and its definition is not', () => {
    const shared = object({ x: { $ref: '#/$defs/t' } })
    const one = { ...field(shared), $defs: { t: text } }
    expect(compareSchemas(one, { ...field(shared), $defs: { t: number } }).verdict).toBe('breaking')
  })

  it('end on definitions that refer to themselves, also inside an anyOf', () => {
    const tree = (leaf: unknown) => ({
      ...field({ anyOf: [{ $ref: '#/$defs/tree' }], ...PUBLIC }),
      $defs: { tree: { anyOf: [leaf, { type: 'array', items: { $ref: '#/$defs/tree' } }] } },
    })
    expect(compareSchemas(tree(string), tree({ ...string, title: 'Leaf' })).verdict).toBe('unchanged')
    expect(compareSchemas(tree(string), tree(integer)).verdict).toBe('breaking')
  })
})
