import { typesOf } from './schema-types.ts'
import { followReferences, isSchemaObject, type SchemaObject } from './schema-problem.ts'

/** What a field that is marked `x-open` may outgrow: its words and its bounds, never its type. */
const GROWING = new Set([
  ...['enum', 'const', 'maxLength', 'minLength', 'maximum', 'minimum', 'exclusiveMaximum', 'exclusiveMinimum'],
  ...['maxItems', 'minItems', 'maxProperties', 'minProperties'],
])
/** Their members are schemas by name, not keywords. */
const BY_NAME = new Set(['properties', '$defs', 'patternProperties', 'dependentSchemas'])
/** Where less is asked for inside of them, more is asked for in all: two of `oneOf` may fit. They stay as they are written. */
const TURNING = new Set(['oneOf', 'not', 'if', 'contains'])
const VALUES = new Set(['enum', 'const', 'default', 'examples'])

/**
 * A schema as consumers should read it: fields it does not know are passed over, and what is marked `x-open` may have grown
 * (contract, "Versions").
 */
export function readOpenly(root: SchemaObject): SchemaObject {
  return read(root, root)
}

function read(schema: SchemaObject, root: SchemaObject): SchemaObject {
  const followed = followReferences(schema, root)
  const open = followed['x-open'] === true
  // What may grow here may be closed where the same definition is used elsewhere: it is written out.
  const kept = Object.entries(open ? followed : schema).filter(([keyword, value]) => {
    if (keyword === 'additionalProperties' || keyword === 'unevaluatedProperties') return value !== false
    return !(open && GROWING.has(keyword))
  })
  const members = kept.map(([keyword, value]) => {
    if (TURNING.has(keyword)) return [keyword, writtenOut(value, root)]
    return [keyword, VALUES.has(keyword) ? value : inner(keyword, value, root)]
  })
  const types = open && followed['type'] === undefined ? typesOf(followed) : null
  return { ...Object.fromEntries(members), ...(types === null ? {} : { type: [...types] }) }
}

function inner(keyword: string, value: unknown, root: SchemaObject): unknown {
  const readInner = (item: unknown) => (isSchemaObject(item) ? read(item, root) : item)
  if (Array.isArray(value)) return value.map(readInner)
  if (!isSchemaObject(value)) return value
  if (!BY_NAME.has(keyword)) return read(value, root)
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, readInner(item)]))
}

/** With definitions in place of references, since those are read openly. */
function writtenOut(value: unknown, root: SchemaObject): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => writtenOut(item, root))
  if (!isSchemaObject(value)) return value
  const members = Object.entries(followReferences(value, root)).map(([keyword, held]) => {
    if (VALUES.has(keyword)) return [keyword, held]
    if (!BY_NAME.has(keyword) || !isSchemaObject(held)) return [keyword, writtenOut(held, root)]
    return [keyword, Object.fromEntries(Object.entries(held).map(([name, item]) => [name, writtenOut(item, root)]))]
  })
  return Object.fromEntries(members) as unknown
}
