import { inside, isSchemaObject } from './schema-problem.ts'

/** Keywords whose value is one schema, a list of schemas, or schemas by name. */
export const ONE: readonly string[] = [
  'items',
  'contains',
  'additionalProperties',
  'not',
  'if',
  'then',
  'else',
  'propertyNames',
  'unevaluatedItems',
  'unevaluatedProperties',
]
export const LISTS: readonly string[] = ['allOf', 'anyOf', 'oneOf', 'prefixItems']
export const MAPS: readonly string[] = ['properties', '$defs', 'patternProperties', 'dependentSchemas']

/** A schema has at most so many inside one another; an event's data is not deeper. */
export const MAX_DEPTH = 32

/** Every schema inside a schema, with its path, itself first; references are not followed. */
export function subschemas(schema: unknown, path = '', depth = 0): { schema: unknown; path: string; depth: number }[] {
  const own = { schema, path, depth }
  if (!isSchemaObject(schema) || depth > MAX_DEPTH) return [own]
  const children: { schema: unknown; path: string; depth: number }[] = []
  const add = (child: unknown, at: string) => void children.push(...subschemas(child, at, depth + 1))
  for (const [keyword, value] of Object.entries(schema)) {
    if (ONE.includes(keyword)) add(value, inside(path, keyword))
    else if (LISTS.includes(keyword) && Array.isArray(value)) {
      for (const [index, item] of value.entries()) add(item, inside(inside(path, keyword), index))
    } else if (MAPS.includes(keyword) && isSchemaObject(value)) {
      for (const [name, item] of Object.entries(value)) add(item, inside(inside(path, keyword), name))
    }
  }
  return [own, ...children]
}
