import { followReferences, isSchemaObject, type SchemaObject } from '../core/schema/schema-problem.ts'

type Data = Record<string, unknown>

const LONGEST = 10_000

/**
 * What else a producer may send under a schema, one change to an example at a time: every other word of a closed set, every
 * optional member left out, every other type, the bounds. What a conversion does to one example it may not do to these.
 *
 * @param most that are made; where there are more, the first of them
 * @returns some that are not valid: a member may be needed for another reason
 */
export function variantsOf(example: Data, schema: SchemaObject, most: number): { path: string; data: Data }[] {
  const found: { path: string; data: Data }[] = []

  function vary(value: unknown, place: unknown, path: readonly (string | number)[]): void {
    const here = followReferences(place, schema)
    for (const other of othersFor(value, here)) add(path, other)
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) vary(item, here['items'], [...path, index])
    } else if (isSchemaObject(value)) {
      const fields = isSchemaObject(here['properties']) ? here['properties'] : {}
      const required = Array.isArray(here['required']) ? here['required'] : []
      for (const [name, inner] of Object.entries(value)) {
        if (!required.includes(name)) add([...path, name], GONE)
        if (Object.hasOwn(fields, name)) vary(inner, fields[name], [...path, name])
      }
    }
  }

  function add(path: readonly (string | number)[], value: unknown): void {
    if (found.length >= most || path.length === 0) return
    const data = structuredClone(example)
    let holder = data as Record<string | number, unknown>
    for (const token of path.slice(0, -1)) holder = holder[token] as Record<string | number, unknown>
    const last = path.at(-1) as string | number
    if (value === GONE) delete holder[last]
    else holder[last] = value
    found.push({ path: `/${path.join('/')}`, data })
  }

  vary(example, schema, [])
  return found
}

const GONE = Symbol('left out')

function othersFor(value: unknown, schema: SchemaObject): unknown[] {
  if (Array.isArray(schema['enum'])) return schema['enum'].filter((word) => word !== value)
  if ('const' in schema) return []
  const types = Array.isArray(schema['type']) ? schema['type'] : [schema['type']]
  return types.flatMap((type) => boundsOf(type, schema))
}

function boundsOf(type: unknown, schema: SchemaObject): unknown[] {
  const numbers = (...names: string[]) => names.map((name) => schema[name]).filter((bound) => typeof bound === 'number')
  switch (type) {
    case 'null':
      return [null]
    case 'boolean':
      return [true, false]
    case 'string':
      if ('pattern' in schema || 'format' in schema) return []
      return numbers('minLength', 'maxLength').map((length) => 'x'.repeat(Math.min(length, LONGEST)))
    case 'integer':
    case 'number':
      return numbers('minimum', 'maximum')
    case 'array':
      return numbers('minItems').includes(0) || !('minItems' in schema) ? [[]] : []
    default:
      return []
  }
}
