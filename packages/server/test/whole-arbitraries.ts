import fc from 'fast-check'
import { PUBLIC, type Schema } from './schema-pairs.ts'

/** Schemas of values that have one class as a whole, so that every keyword may be used, and references into `$defs`. */

const NAMES = ['a', 'b', 'x1']
const TYPES = ['string', 'integer', 'number', 'array', 'object', 'null']

/** Values in which the keywords below find something to hold on to. */
export const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2, depthIdentifier: 'value' },
    fc.constantFrom<unknown>('', 'x', 'xy', 0, 1, 2, 1.5, null, true),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...NAMES), tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
}))

const small = fc.nat(2)
const { schema } = fc.letrec<{ schema: unknown; map: Schema; list: unknown[] }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 2, depthIdentifier: 'schema', withCrossShrink: true },
    fc.constantFrom<unknown>({ type: 'string' }, { type: 'integer' }, { enum: ['x', 1] }, {}, { $ref: '#/$defs/t' }),
    fc.constantFrom<unknown>(true, false),
    keywords(tie('schema'), tie('map'), tie('list')),
  ),
  map: fc.dictionary(fc.constantFrom(...NAMES), tie('schema'), { maxKeys: 2, noNullPrototype: true }),
  list: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }),
}))

/** One to three keywords, of whatever kind. */
function keywords(
  inner: fc.Arbitrary<unknown>,
  map: fc.Arbitrary<Schema>,
  list: fc.Arbitrary<unknown[]>,
): fc.Arbitrary<Schema> {
  const ONE = ['items', 'additionalProperties', 'contains', 'not', 'unevaluatedProperties', 'unevaluatedItems']
  const COUNTS = ['minLength', 'maxLength', 'minItems', 'maxItems', 'minContains', 'maxContains', 'minProperties']
  const BOUNDS = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum']
  const names = fc.subarray(NAMES)
  const one = fc.oneof(
    fc.tuple(fc.constantFrom(...ONE, 'if', 'then', 'else', 'propertyNames'), inner),
    fc.tuple(fc.constantFrom('anyOf', 'allOf', 'oneOf', 'prefixItems'), list),
    fc.tuple(fc.constantFrom('properties', 'dependentSchemas'), map),
    fc.tuple(
      fc.constant('patternProperties'),
      inner.map((found): unknown => ({ '^x': found })),
    ),
    fc.tuple(fc.constantFrom(...COUNTS, ...BOUNDS), small),
    fc.tuple(fc.constant('uniqueItems'), fc.boolean()),
    fc.tuple(fc.constant('required'), names),
    fc.tuple(
      fc.constant('dependentRequired'),
      names.map((found): unknown => ({ a: found })),
    ),
    fc.tuple(fc.constant('type'), fc.subarray(TYPES, { minLength: 1 })),
    fc.tuple(fc.constant('enum'), fc.uniqueArray(fc.constantFrom<unknown>('x', 'xy', 1, null), { minLength: 1 })),
    fc.tuple(fc.constant('const'), fc.constantFrom<unknown>('x', 1, null)),
    fc.tuple(fc.constant('x-open'), fc.constant(true)),
  )
  return fc.array(one, { minLength: 1, maxLength: 4 }).map((found): Schema => Object.fromEntries(found))
}

interface Parts {
  field: Schema
  definition: unknown
}

const isObject = (value: unknown): value is Schema => typeof value === 'object' && value !== null
const objectSchema = schema.filter(isObject)

/** Data with one field, which has a class as a whole, and a definition that it may refer to. */
function dataOf({ field, definition }: Parts): Schema {
  const { 'x-open': _open, ...closed } = isObject(definition) ? definition : {}
  const definitions = { t: isObject(definition) && !('$ref' in definition) ? closed : { type: 'string' } }
  return { type: 'object', properties: { f: { ...field, ...PUBLIC } }, $defs: withoutReferences(definitions) }
}

/** A definition that refers to itself is never registered. */
function withoutReferences(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutReferences)
  if (!isObject(value)) return value
  if ('$ref' in value) return {}
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutReferences(inner)]))
}

/** A schema, and the same with some keywords more, less or exchanged, or with another definition. */
export const wholePair: fc.Arbitrary<[Schema, Schema]> = fc
  .tuple(objectSchema, schema, objectSchema, schema, fc.nat(9), fc.nat(3))
  .map(([field, definition, other, otherDefinition, way, at]) => {
    const before = { field, definition }
    const rest = Object.fromEntries(Object.entries(field).filter((_, index) => index !== at))
    if (way === 0) return [before, { field, definition: otherDefinition }]
    if (way < 3) return [before, { field: rest, definition }]
    if (way < 5) return [before, { field: inOrder({ ...rest, ...other }), definition }]
    return [before, { field: inOrder({ ...field, ...other, ...(way < 8 ? field : {}) }), definition }]
  })
  .map(([before, after]): [Schema, Schema] => [dataOf(before as Parts), dataOf(after as Parts)])
  // Ajv 8 lets an empty list pass `contains` beside `prefixItems`: it cannot be asked about those.
  .filter((pair) =>
    pair.every((one) => !/"contains".*"prefixItems"|"prefixItems".*"contains"/.test(JSON.stringify(one))),
  )

function inOrder(turned: Schema): Schema {
  return Object.fromEntries(Object.entries(turned).toReversed())
}
