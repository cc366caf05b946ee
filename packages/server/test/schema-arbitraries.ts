import fc from 'fast-check'
import type { Schema } from './schema-pairs.ts'

/** Random schemas of data, as they can be registered, what can be done to them, and values that are valid under them. */

const CLASS = fc.constantFrom('public', 'prompt', 'operational')
const NAMES = ['a', 'b', 'c', 'd']
const WORDS = ['x', 'y', 'z', 1, 2, null]

const bound = fc.option(fc.nat(6), { nil: undefined })
const bounds = (low: string, high: string) =>
  fc.tuple(bound, bound).map(([least, span]): Schema => ({
    ...(least === undefined ? {} : { [low]: least }),
    ...(span === undefined ? {} : { [high]: (least ?? 0) + span }),
  }))

const leaf: fc.Arbitrary<Schema> = fc
  .tuple(
    fc.oneof(
      bounds('minLength', 'maxLength').map((found): Schema => ({ type: 'string', ...found })),
      bounds('minimum', 'maximum').map((found): Schema => ({ type: 'integer', ...found })),
      bounds('minimum', 'maximum').map((found): Schema => ({ type: 'number', ...found })),
      fc.constant<Schema>({ type: 'boolean' }),
      fc.constant<Schema>({ type: ['string', 'null'] }),
      fc
        .uniqueArray(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 4 })
        .map((words): Schema => ({ enum: words })),
      fc.constantFrom(...WORDS).map((word): Schema => ({ const: word })),
    ),
    CLASS,
    fc.boolean(),
  )
  .map(([schema, dataClass, open]) => ({ ...schema, 'x-data-class': dataClass, ...(open ? { 'x-open': true } : {}) }))

const { tree } = fc.letrec<{ tree: Schema; object: Schema; list: Schema }>((tie) => ({
  tree: fc.oneof({ maxDepth: 3, depthIdentifier: 'tree' }, leaf, tie('object'), tie('list')),
  list: fc
    .tuple(tie('tree'), bounds('minItems', 'maxItems'), fc.boolean())
    .map(([items, found, unique]) => ({ type: 'array', items, ...found, ...(unique ? { uniqueItems: true } : {}) })),
  object: objectOf(tie('tree')),
}))

function objectOf(inner: fc.Arbitrary<Schema>): fc.Arbitrary<Schema> {
  return fc
    .tuple(fc.dictionary(fc.constantFrom(...NAMES), inner, { maxKeys: 4, noNullPrototype: true }), fc.subarray(NAMES))
    .map(([properties, wanted]) => ({
      type: 'object',
      properties,
      required: wanted.filter((name) => Object.hasOwn(properties, name)),
    }))
}

export const dataSchema: fc.Arbitrary<Schema> = objectOf(tree)

/** Two schemas of which the second is the first with some places exchanged for others. */
export const schemaPair: fc.Arbitrary<[Schema, Schema]> = fc
  .tuple(
    dataSchema,
    fc.array(fc.tuple(fc.nat(20), fc.oneof(tree, fc.constant(null)), fc.subarray(NAMES)), { maxLength: 3 }),
  )
  .map(([schema, edits]) => {
    const copy = structuredClone(schema)
    for (const [at, value, required] of edits) exchange(copy, at, value, required)
    return [schema, copy]
  })

/** Puts another schema in the place with this number, takes it away, or changes what is required beside it. */
function exchange(schema: Schema, at: number, value: Schema | null, required: readonly string[]): void {
  const objects = objectsIn(schema)
  const object = objects[at % objects.length] as Schema
  const properties = object['properties'] as Schema
  const name = NAMES[at % NAMES.length] as string
  if (value === null) {
    if (at % 2 === 0) delete properties[name]
  } else if (at % 3 > 0 && Object.hasOwn(properties, name)) {
    // Keywords of the one on top of the other: bounds that moved, words that were added.
    properties[name] = { ...(properties[name] as Schema), ...value }
  } else properties[name] = value
  const wanted = at % 5 === 0 ? required : (object['required'] as string[])
  object['required'] = wanted.filter((one) => Object.hasOwn(properties, one))
}

function objectsIn(schema: Schema): Schema[] {
  const inner = [...Object.values((schema['properties'] as Schema | undefined) ?? {}), schema['items']]
  const own = schema['type'] === 'object' && schema['properties'] !== undefined ? [schema] : []
  return [...own, ...inner.filter((one) => one !== undefined).flatMap((one) => objectsIn(one as Schema))]
}

/** Values that are mostly valid under a schema; whether one is, a validator says. */
export function valueOf(schema: Schema): fc.Arbitrary<unknown> {
  if ('const' in schema) return fc.constant(schema['const'])
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as unknown[]))
  const types = Array.isArray(schema['type']) ? (schema['type'] as string[]) : [String(schema['type'])]
  return fc.oneof(...types.map((type) => valueOfType(type, schema)))
}

function valueOfType(type: string, schema: Schema): fc.Arbitrary<unknown> {
  const limit = (name: string, otherwise: number) => (schema[name] as number | undefined) ?? otherwise
  const range = (low: string, high: string) => {
    const min = limit(low, 0)
    return { min, max: Math.max(min, limit(high, min + 8)) }
  }
  switch (type) {
    case 'string': {
      const { min, max } = range('minLength', 'maxLength')
      return fc.string({ minLength: min, maxLength: max })
    }
    case 'integer':
      return fc.integer(range('minimum', 'maximum'))
    case 'number':
      return fc.oneof(
        fc.integer(range('minimum', 'maximum')),
        fc.double({ ...range('minimum', 'maximum'), noNaN: true }),
      )
    case 'boolean':
      return fc.boolean()
    case 'array': {
      const { min, max } = range('minItems', 'maxItems')
      const items = schema['items'] as Schema | undefined
      return fc.array(items === undefined ? fc.integer() : valueOf(items), { minLength: min, maxLength: max })
    }
    case 'object':
      return objectValue(schema)
    default:
      return fc.constant(null)
  }
}

function objectValue(schema: Schema): fc.Arbitrary<unknown> {
  const properties = (schema['properties'] as Record<string, Schema> | undefined) ?? {}
  const model = Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, valueOf(inner)]))
  const requiredKeys = ((schema['required'] as string[] | undefined) ?? []).filter((name) => name in model)
  return fc.record(model, { requiredKeys, noNullPrototype: true })
}
