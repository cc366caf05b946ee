import type { JsonSchema } from '../src/catalog/index.ts'

/** A small checker for the part of JSON JsonSchema 2020-12 the catalog is written in; it refuses what it does not know. */

type Check = (limit: unknown, value: unknown) => boolean

/** What says nothing about a value: annotations, and keywords that another one's check reads. */
const SILENT = new Set(['$schema', '$defs', 'title', 'description', 'x-data-class', 'x-data-class-from'])

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/
const FORMATS: Record<string, (text: string) => boolean> = {
  'date-time': (text) => DATE_TIME.test(text) && !Number.isNaN(Date.parse(text)),
  uri: (text) => URL.canParse(text),
}
const TYPES: Record<string, (value: unknown) => boolean> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  integer: Number.isInteger,
  boolean: (value) => typeof value === 'boolean',
}
const CHECKS: Record<string, Check> = {
  type: (name, value) => TYPES[String(name)]?.(value) === true,
  const: (word, value) => word === value,
  enum: (words, value) => (words as unknown[]).includes(value),
  format: (name, value) => typeof value !== 'string' || FORMATS[String(name)]?.(value) === true,
  pattern: (source, value) => typeof value !== 'string' || new RegExp(String(source), 'u').test(value),
  minLength: (limit, value) => typeof value !== 'string' || [...value].length >= Number(limit),
  maxLength: (limit, value) => typeof value !== 'string' || [...value].length <= Number(limit),
  minimum: (limit, value) => typeof value !== 'number' || value >= Number(limit),
  maximum: (limit, value) => typeof value !== 'number' || value <= Number(limit),
  minItems: (limit, value) => !Array.isArray(value) || value.length >= Number(limit),
  maxItems: (limit, value) => !Array.isArray(value) || value.length <= Number(limit),
  uniqueItems: (wanted, value) => wanted !== true || !Array.isArray(value) || new Set(value).size === value.length,
  maxProperties: (limit, value) => !isObject(value) || Object.keys(value).length <= Number(limit),
}

/** One line for everything that is wrong; none: the value is valid. */
export function checkSchema(schema: JsonSchema, value: unknown, root: JsonSchema = schema, path = ''): string[] {
  return Object.entries(schema).flatMap(([keyword, limit]) => {
    const check = CHECKS[keyword]
    if (check !== undefined) return check(limit, value) ? [] : [`${path}: ${keyword}`]
    return SILENT.has(keyword) ? [] : checkInside(keyword, limit, value, root, path, schema)
  })
}

function checkInside(
  keyword: string,
  limit: unknown,
  value: unknown,
  root: JsonSchema,
  path: string,
  schema: JsonSchema,
): string[] {
  const named = limit as Record<string, JsonSchema>
  switch (keyword) {
    case '$ref':
      return checkSchema(definition(String(limit), root), value, root, path)
    case 'items':
      if (!Array.isArray(value)) return []
      return value.flatMap((item, index) => checkSchema(limit as JsonSchema, item, root, `${path}/${index}`))
    case 'properties':
      if (!isObject(value)) return []
      return Object.entries(named).flatMap(([name, inner]) =>
        name in value ? checkSchema(inner, value[name], root, `${path}/${name}`) : [],
      )
    case 'required':
      if (!isObject(value)) return []
      return (limit as string[]).filter((name) => !(name in value)).map((name) => `${path}/${name}: required`)
    case 'additionalProperties': {
      if (limit === true || !isObject(value)) return []
      const others = Object.entries(value).filter(([name]) => !(name in (schema.properties ?? {})))
      return others.flatMap(([name, other]) => checkSchema(limit as JsonSchema, other, root, `${path}/${name}`))
    }
    default:
      throw new Error(`${path}: the checker does not know ${keyword}`)
  }
}

/** What `#/$defs/name` stands for. */
export function definition(reference: string, root: JsonSchema): JsonSchema {
  const name = /^#\/\$defs\/(?<name>[a-z_]+)$/.exec(reference)?.groups?.['name'] ?? ''
  const found = root.$defs?.[name]
  if (found === undefined) throw new Error(`there is no definition ${reference}`)
  return found
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
