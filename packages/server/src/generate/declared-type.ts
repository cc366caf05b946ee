import { isSchemaObject, type SchemaObject } from '../core/schema/schema-problem.ts'

/** Names the interface of a definition of the schema. */
export type NameDefinition = (name: string) => string

const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]*$/
const DEFINITION = /^#\/\$defs\/([^/]+)$/

/**
 * The TypeScript type of what a JSON Schema describes, as text. What a type cannot say (bounds, patterns, formats) is left
 * out; what is not understood is `unknown`.
 */
export function typeOf(value: unknown, nameOf: NameDefinition, indent = ''): string {
  if (!isSchemaObject(value)) return value === false ? 'never' : 'unknown'
  const reference = typeof value['$ref'] === 'string' ? DEFINITION.exec(value['$ref']) : null
  if (reference !== null) return nameOf(unescapeToken(reference[1] as string))
  if ('const' in value) return literal(value['const'])
  if (Array.isArray(value['enum'])) return union(value['enum'].map(literal))
  for (const keyword of ['anyOf', 'oneOf'] as const) {
    const options = value[keyword]
    if (Array.isArray(options)) return union(options.map((option) => typeOf(option, nameOf, indent)))
  }
  const types = Array.isArray(value['type']) ? value['type'] : [value['type']]
  return union(types.map((type) => ofType(type, value, nameOf, indent)))
}

function ofType(type: unknown, schema: SchemaObject, nameOf: NameDefinition, indent: string): string {
  switch (type) {
    case 'string':
    case 'boolean':
    case 'null':
      return type
    case 'integer':
    case 'number':
      return 'number'
    case 'array': {
      const item = 'items' in schema ? typeOf(schema['items'], nameOf, indent) : 'unknown'
      return /[|&]/.test(item) && !item.startsWith('{') ? `(${item})[]` : `${item}[]`
    }
    case 'object':
      return objectType(schema, nameOf, indent)
    default:
      return 'unknown'
  }
}

function objectType(schema: SchemaObject, nameOf: NameDefinition, indent: string): string {
  const { properties, additionalProperties: rest } = schema
  if (isSchemaObject(properties) && Object.keys(properties).length > 0) return members(schema, nameOf, indent)
  if (isSchemaObject(rest)) return `Record<string, ${typeOf(rest, nameOf, indent)}>`
  return 'Record<string, unknown>'
}

/** The members of an object in braces, each with what its schema says of it. */
export function members(schema: SchemaObject, nameOf: NameDefinition, indent: string): string {
  const fields = isSchemaObject(schema['properties']) ? Object.entries(schema['properties']) : []
  const required = new Set(Array.isArray(schema['required']) ? schema['required'].map(String) : [])
  const inside = `${indent}  `
  const lines = fields.map(([name, field]) => {
    const key = IDENTIFIER.test(name) ? name : JSON.stringify(name)
    return `${commentOf(field, inside)}${inside}${key}${required.has(name) ? '' : '?'}: ${typeOf(field, nameOf, inside)}\n`
  })
  return lines.length === 0 ? '{}' : `{\n${lines.join('')}${indent}}`
}

function commentOf(field: unknown, indent: string): string {
  if (!isSchemaObject(field)) return ''
  const about = typeof field['description'] === 'string' ? oneLine(field['description']) : ''
  const dataClass = typeof field['x-data-class'] === 'string' ? `Data class: ${oneLine(field['x-data-class'])}.` : ''
  const text = [about, dataClass].filter((part) => part !== '').join(' ')
  return text === '' ? '' : `${indent}/** ${text} */\n`
}

/** A text that cannot end the comment it stands in. */
export function oneLine(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replaceAll('*/', '* /')
    .trim()
}

/** JSON is TypeScript, but for `__proto__`, which would be no member. */
function literal(value: unknown): string {
  if (typeof value === 'string' && /^[\w .:/-]*$/.test(value)) return `'${value}'`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  return Array.isArray(value) ? 'unknown[]' : 'Record<string, unknown>'
}

function union(options: readonly string[]): string {
  const distinct = [...new Set(options)]
  if (distinct.length === 0) return 'never'
  return distinct.includes('unknown') ? 'unknown' : distinct.join(' | ')
}

function unescapeToken(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~')
}
