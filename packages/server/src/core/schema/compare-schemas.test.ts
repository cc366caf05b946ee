import { BUILT_IN_TYPES } from '@runbell/sdk/catalog'
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

const FIELDS: Pair[] = [
  ['nothing', field(text), field(text), 'unchanged'],
  ['the order of the fields', object({ a: text, b: number }), object({ b: number, a: text }), 'unchanged'],
  [
    'the order of required',
    object({ a: text, b: text }, ['a', 'b']),
    object({ a: text, b: text }, ['b', 'a']),
    'unchanged',
  ],
  ['a description', field(text), field({ ...text, description: 'New words.' }), 'unchanged'],
  ['the title', field(text), { ...field(text), title: 'Order' }, 'unchanged'],
  ['an example in the schema', field(text), field({ ...text, examples: ['a'] }), 'unchanged'],
  ['a default', field(text), field({ ...text, default: 'a' }), 'unchanged'],
  ['an optional field more', field(text), object({ f: text, g: text }), 'additive', '/g', 'pass over', true],
  [
    'a required field more',
    field(text),
    object({ f: text, g: text }, ['g']),
    'additive',
    '/g',
    'producers must send',
    false,
  ],
  ['optional becomes required', field(text), field(text, true), 'additive', '/f', 'always there now', false],
  ['required becomes optional', field(text, true), field(text), 'breaking', '/f', 'may be missing now'],
  ['an optional field less', object({ f: text, g: number }), field(text), 'breaking', '/g', 'is gone'],
  ['a required field less', object({ f: text, g: text }, ['g']), field(text), 'breaking', '/g', 'is gone'],
  ['a renamed field', object({ old: number }), object({ fresh: number }), 'breaking', '/old', 'called "fresh" now'],
  [
    'a field in an object inside',
    field(object({ a: text })),
    field(object({ a: text, b: text })),
    'additive',
    '/f/b',
    'pass over',
    true,
  ],
  ['a field less in an object inside', field(object({ a: text })), field(object({})), 'breaking', '/f/a', 'is gone'],
  [
    'a field of the elements of a list',
    field({ type: 'array', items: object({ a: text }) }),
    field({ type: 'array', items: object({}) }),
    'breaking',
    '/f/*/a',
    'is gone',
  ],
  ['a name that has to be escaped', object({ 'a/b~c': text }), object({}), 'breaking', '/a~1b~0c', 'is gone'],
  ['a name of Object.prototype', object({ constructor: text }), object({}), 'breaking', '/constructor', 'is gone'],
  [
    'a field called as one of Object.prototype',
    object({}),
    object({ toString: text }),
    'additive',
    '/toString',
    'pass over',
    true,
  ],
]

const CLASSES: Pair[] = [
  [
    'public becomes prompt',
    field(text),
    field({ ...text, 'x-data-class': 'prompt' }),
    'breaking',
    '/f',
    'was public and is prompt',
  ],
  [
    'prompt becomes public',
    field({ ...text, 'x-data-class': 'prompt' }),
    field(text),
    'breaking',
    '/f',
    'was prompt and is public',
  ],
  [
    'one class for an object becomes one for each part',
    field({ type: 'object', 'x-data-class': 'document' }),
    field(object({ a: { ...text, 'x-data-class': 'document' } })),
    'breaking',
    '/f',
    'stated inside',
  ],
  [
    'the class is stated by another field',
    field({ ...object({ c: words('prompt'), v: { type: 'string' } }, ['c']), 'x-data-class-from': 'c' }),
    field(object({ c: words('prompt'), v: text }, ['c'])),
    'breaking',
    '/f',
    'class',
  ],
]

const defs = (schema: unknown, definition: unknown = text, name = 'thing') => ({
  ...field(schema),
  $defs: { [name]: definition },
})
const REFERENCES: Pair[] = [
  ['a schema moved into $defs', field(text), defs({ $ref: '#/$defs/thing' }), 'unchanged'],
  ['a schema taken out of $defs', defs({ $ref: '#/$defs/thing' }), field(text), 'unchanged'],
  [
    'another name in $defs',
    defs({ $ref: '#/$defs/thing' }),
    defs({ $ref: '#/$defs/other' }, text, 'other'),
    'unchanged',
  ],
  ['a definition nobody refers to', field(text), defs(text, number), 'unchanged'],
  [
    'a definition that changed',
    defs({ $ref: '#/$defs/thing' }),
    defs({ $ref: '#/$defs/thing' }, number),
    'breaking',
    '/f',
    'was string',
  ],
  [
    'a field more in a definition',
    defs({ $ref: '#/$defs/thing' }, object({ a: text })),
    defs({ $ref: '#/$defs/thing' }, object({ a: text, b: text })),
    'additive',
    '/f/b',
    'pass over',
    true,
  ],
  [
    'a reference to a reference',
    field(text),
    { ...field({ $ref: '#/$defs/a' }), $defs: { a: { $ref: '#/$defs/b' }, b: text } },
    'unchanged',
  ],
  [
    'words beside a reference',
    defs({ $ref: '#/$defs/thing' }),
    defs({ $ref: '#/$defs/thing', description: 'x' }),
    'unchanged',
  ],
  [
    'a bound beside a reference',
    defs({ $ref: '#/$defs/thing' }),
    defs({ $ref: '#/$defs/thing', maxLength: 5 }),
    'additive',
    '/f',
    'maxLength',
    false,
  ],
]

const COMBINATIONS: Pair[] = [
  [
    'the same anyOf',
    field({ anyOf: [text, number], ...PUBLIC }),
    field({ anyOf: [text, number], ...PUBLIC }),
    'unchanged',
  ],
  [
    'another anyOf',
    field({ anyOf: [text], ...PUBLIC }),
    field({ anyOf: [text, number], ...PUBLIC }),
    'breaking',
    '/f/anyOf',
    'cannot be shown',
  ],
  [
    'an anyOf where there was none',
    field(PUBLIC),
    field({ anyOf: [text], ...PUBLIC }),
    'additive',
    '/f',
    'less can come',
    false,
  ],
  ['no allOf any more', field({ allOf: [text], ...PUBLIC }), field(PUBLIC), 'breaking', '/f/allOf', 'cannot be shown'],
  [
    'other members described',
    field({ type: 'object', additionalProperties: text }),
    field({ type: 'object', additionalProperties: number }),
    'breaking',
    '/f/*',
    'was string',
  ],
  [
    'breaking among additive',
    object({ a: text, b: text }),
    object({ a: text, c: text, b: number }),
    'breaking',
    '/b',
    'was string',
  ],
  ['a keyword of their own', field(text), field({ ...text, 'x-owner': 'billing' }), 'unchanged'],
]

describe.each([
  ['fields', FIELDS],
  ['classes', CLASSES],
  ['references', REFERENCES],
  ['combinations', COMBINATIONS],
])('the verdict on %s', (_topic, pairs) => {
  it.each(pairs.map((pair) => [pair[0], pair] as const))('%s', (_what, pair) => expectVerdict(pair))
})

describe('the checker', () => {
  it('finds every built-in schema unchanged against itself, written anew', () => {
    for (const [, { versions }] of BUILT_IN_TYPES) {
      const schema = JSON.parse(JSON.stringify(versions.at(-1)?.schema)) as Schema
      expect(compareSchemas({ ...versions.at(-1)?.schema }, schema)).toEqual({ verdict: 'unchanged', changes: [] })
    }
  })

  it('ends on schemas that refer to themselves', () => {
    const tree = (leaf: unknown) => ({ ...field({ $ref: '#' }), $defs: {}, properties: { f: { $ref: '#' }, leaf } })
    expect(compareSchemas(tree(text), tree(text)).verdict).toBe('unchanged')
    expect(compareSchemas(tree(text), tree(number))).toMatchObject({ verdict: 'breaking' })
    const circle = { type: 'object', $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } }
    expect(compareSchemas(circle, circle).verdict).toBe('unchanged')
  })
})
