import { typesOf } from './schema-types.ts'
import { isSchemaObject, type SchemaObject } from './schema-problem.ts'

/** What a field that is marked `x-open` may outgrow: its words and its bounds, never its type. */
const GROWING = new Set([
  ...['enum', 'const', 'maxLength', 'minLength', 'maximum', 'minimum', 'exclusiveMaximum', 'exclusiveMinimum'],
  ...['maxItems', 'minItems', 'maxProperties', 'minProperties'],
])
/** Their members are schemas by name, not keywords. */
const BY_NAME = new Set(['properties', '$defs', 'patternProperties', 'dependentSchemas'])
const VALUES = new Set(['enum', 'const', 'default', 'examples'])

/**
 * A schema as consumers should read it: fields it does not know are passed over, and what is marked `x-open` may have grown
 * (contract, "Versions").
 */
export function readOpenly(schema: SchemaObject): SchemaObject {
  const open = schema['x-open'] === true
  const kept = Object.entries(schema).filter(([keyword, value]) => {
    if (keyword === 'additionalProperties' || keyword === 'unevaluatedProperties') return value !== false
    return !(open && GROWING.has(keyword))
  })
  const members = kept.map(([keyword, value]) => [keyword, VALUES.has(keyword) ? value : inner(keyword, value)])
  const types = open && schema['type'] === undefined ? typesOf(schema) : null
  return { ...Object.fromEntries(members), ...(types === null ? {} : { type: [...types] }) }
}

function inner(keyword: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => (isSchemaObject(item) ? readOpenly(item) : item))
  if (!isSchemaObject(value)) return value
  if (!BY_NAME.has(keyword)) return readOpenly(value)
  const named = Object.entries(value).map(([name, item]) => [name, isSchemaObject(item) ? readOpenly(item) : item])
  return Object.fromEntries(named) as unknown
}
