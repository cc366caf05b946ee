import type { JsonSchema } from '../src/catalog/index.ts'
import { definition, isObject } from './check-schema.ts'

/** Keeps what is granted, as a delivery to such an endpoint would; simple, slow, and not the code that does it. */
export function cutData(
  schema: JsonSchema,
  value: unknown,
  granted: ReadonlySet<string>,
  root: JsonSchema = schema,
): unknown {
  const own = schema['x-data-class']
  if (own !== undefined) return granted.has(own) ? value : undefined
  const reference = schema.$ref
  if (reference !== undefined) return cutData(definition(reference, root), value, granted, root)
  if (Array.isArray(value)) return value.map((item) => cutData(schema.items ?? {}, item, granted, root))
  if (!isObject(value)) throw new Error('a value without a class')
  const classField = schema['x-data-class-from']
  const kept = Object.entries(value).flatMap(([name, inner]) => {
    const field = schema.properties?.[name]
    // Fail closed: what the schema does not know does not travel.
    if (field === undefined) return []
    if (classField !== undefined && field['x-data-class'] === undefined) {
      return [[name, granted.has(String(value[classField])) ? inner : '•••']]
    }
    const left = cutData(field, inner, granted, root)
    return left === undefined ? [] : [[name, left]]
  })
  return Object.fromEntries(kept)
}
