import { describe, expect, it } from 'vitest'
import { createValidators } from '../../catalog/validator.ts'
import { PUBLIC, field, number, object, text, words, type Schema } from '../../../test/schema-pairs.ts'
import { readOpenly } from './read-openly.ts'

const validators = createValidators('linear')
const reads = (schema: Schema, data: unknown) => validators.compile(readOpenly(schema))(data).length === 0

describe('whoever reads openly', () => {
  it('passes over fields that the schema does not know, at every depth', () => {
    const closed = (properties: Schema) => object(properties, [], { additionalProperties: false })
    const schema = closed({ inner: closed({ a: text }), list: { type: 'array', items: closed({ a: text }) } })
    expect(reads(schema, { more: 1, inner: { more: 1 }, list: [{ more: 1 }] })).toBe(true)
    expect(reads(schema, { inner: { a: 1 } })).toBe(false)
  })

  it('holds members without a name of their own to what is said of them', () => {
    const schema = field({ type: 'object', additionalProperties: number })
    expect(reads(schema, { f: { a: 1 } })).toBe(true)
    expect(reads(schema, { f: { a: 'x' } })).toBe(false)
  })

  it.each<[string, Schema, unknown, unknown]>([
    ['words', words('a'), 'b', 1],
    ['a constant', { const: 1, ...PUBLIC }, 2, 'a'],
    ['a length', { ...text, maxLength: 2 }, 'abc', 1],
    ['a bound', { ...number, minimum: 1, maximum: 2 }, 9, 'a'],
    ['a number of elements', { type: 'array', items: text, minItems: 1, maxItems: 2 }, [], 'a'],
  ])('lets %s grow where the field is marked open, and its type stay', (_what, schema, grown, other) => {
    const open = field({ ...schema, 'x-open': true })
    expect(reads(field(schema), { f: grown })).toBe(false)
    expect(reads(open, { f: grown })).toBe(true)
    expect(reads(open, { f: other })).toBe(false)
  })

  it('lets a definition grow only where it is marked open', () => {
    const reference = { $ref: '#/$defs/status' }
    const schema = {
      ...object({ open: { ...reference, 'x-open': true }, closed: reference }),
      $defs: { status: words('a') },
    }
    expect(reads(schema, { open: 'b' })).toBe(true)
    expect(reads(schema, { closed: 'b' })).toBe(false)
    const bound = { ...field({ ...{ $ref: '#/$defs/t' }, maxLength: 2 }), $defs: { t: { ...text, 'x-open': true } } }
    expect(reads(bound, { f: 'abc' })).toBe(true)
  })

  it('still tells apart what only closed alternatives do', () => {
    const closed = (name: string) => ({ properties: { [name]: {} }, additionalProperties: false })
    const either = field({ type: 'object', oneOf: [closed('a'), closed('b')], ...PUBLIC })
    expect(reads(either, { f: { a: 1 } })).toBe(true)
    expect(reads(either, { f: { a: 1, b: 1 } })).toBe(false)
    const byReference = {
      ...field({ type: 'object', oneOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/b' }], ...PUBLIC }),
      $defs: { a: closed('a'), b: closed('b') },
    }
    expect(reads(byReference, { f: { a: 1 } })).toBe(true)
    const neither = field({ type: 'object', not: { required: ['a'], ...closed('a') }, ...PUBLIC })
    expect(reads(neither, { f: { a: 1, b: 1 } })).toBe(true)
    const open = field({ oneOf: [{ type: 'string' }, { maxLength: 0, 'x-open': true }], ...PUBLIC })
    expect(reads(open, { f: 'x' })).toBe(true)
  })

  it('keeps fields that are called as keywords are', () => {
    const schema = object({ additionalProperties: number, enum: text, const: text }, ['enum'])
    expect(reads(schema, { enum: 'x' })).toBe(true)
    expect(reads(schema, { additionalProperties: 'x', enum: 'x' })).toBe(false)
    expect(reads(schema, {})).toBe(false)
  })
})
