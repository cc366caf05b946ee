import { isSchemaObject, resolveLocal, type SchemaObject } from '../core/schema/schema-problem.ts'
import { typesOf } from '../core/schema/schema-types.ts'

/** The schema of a version, as the types inside it are declared. */
export interface DeclaredSchema {
  /** What references are looked up in. */
  root: SchemaObject
  /** Names the type of a definition; `unknown`: there is none of this name. */
  nameOf(definition: string): string
}

/** Where a type is written. */
interface Place extends DeclaredSchema {
  indent: string
  depth: number
  /** The references that are being written out here. */
  following: readonly string[]
}

const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]*$/
const DEFINITION = /^#\/\$defs\/([^/]+)$/
const ANY_OBJECT = 'Record<string, unknown>'
const MAX_DEPTH = 40
const START = { indent: '', depth: 0, following: [] }

/**
 * The TypeScript type of what a JSON Schema describes, as text. What a type cannot say (bounds, patterns, formats) is left
 * out; what is not understood is `unknown`.
 */
export function typeOf(value: unknown, schema: DeclaredSchema): string {
  return union(optionsOf(value, { ...schema, ...START }))
}

/** The members of an object in braces, each with what its schema says of it. */
export function membersOf(object: SchemaObject, schema: DeclaredSchema): string {
  return members(object, { ...schema, ...START })
}

/** The types a value may have, of which none is a union. */
function optionsOf(value: unknown, place: Place): string[] {
  if (!isSchemaObject(value)) return [value === false ? 'never' : 'unknown']
  if (place.depth > MAX_DEPTH) return ['unknown']
  const inner = { ...place, depth: place.depth + 1 }
  if (typeof value['$ref'] === 'string') return referenceOptions(value['$ref'], inner)
  const lists = (keyword: string): unknown[] => (Array.isArray(value[keyword]) ? value[keyword] : [])
  const alternatives = [lists('anyOf'), lists('oneOf')].filter((list) => list.length > 0)
  const all = [
    ownOptions(value, inner),
    ...alternatives.map((list) => distinct(list.flatMap((option) => optionsOf(option, inner)))),
    ...lists('allOf').map((part) => optionsOf(part, inner)),
  ].filter((options) => !options.includes('unknown'))
  const telling = all.filter((options) => union(options) !== ANY_OBJECT)
  const [first = all[0] ?? ['unknown'], ...others] = telling
  if (others.length === 0) return first
  return [`(${[first, ...others].map(grouped).join(' & ')})`]
}

/** A definition has a name; what is referred to elsewhere is written out. */
function referenceOptions(reference: string, place: Place): string[] {
  const name = DEFINITION.exec(reference)?.[1]
  if (name !== undefined) return [place.nameOf(unescapeToken(name))]
  const target = resolveLocal(reference, place.root)
  if (target === undefined || place.following.includes(reference)) return ['unknown']
  return optionsOf(target, { ...place, following: [...place.following, reference] })
}

/** What the schema says of the value itself. */
function ownOptions(schema: SchemaObject, place: Place): string[] {
  const words = 'const' in schema ? [schema['const']] : schema['enum']
  const types = typesOf(schema)
  if (!Array.isArray(words)) return distinct([...(types ?? ['unknown'])].map((type) => ofType(type, schema, place)))
  if (schema['x-open'] !== true) return distinct(words.map(literal))
  // It may gain words while the version stays the same: who switches over them must expect others.
  const others = [...(types ?? [])].map((type) => (type === 'string' ? '(string & {})' : ofType(type, schema, place)))
  return distinct([...words.map(literal), ...others])
}

function ofType(type: string, schema: SchemaObject, place: Place): string {
  switch (type) {
    case 'string':
    case 'boolean':
    case 'null':
      return type
    case 'integer':
    case 'number':
      return 'number'
    case 'array':
      // Of a list whose first elements are described one by one, `items` is the rest.
      if (!('items' in schema) || 'prefixItems' in schema) return 'unknown[]'
      return `${grouped(optionsOf(schema['items'], place))}[]`
    case 'object':
      return objectType(schema, place)
    default:
      return 'unknown'
  }
}

function objectType(schema: SchemaObject, place: Place): string {
  const { properties, additionalProperties: rest } = schema
  if (isSchemaObject(properties) && Object.keys(properties).length > 0) return members(schema, place)
  // Not `Record`, in which a definition cannot refer to itself.
  if (isSchemaObject(rest)) return `{ [name: string]: ${union(optionsOf(rest, place))} }`
  return ANY_OBJECT
}

function members(schema: SchemaObject, { indent, ...place }: Place): string {
  const fields = isSchemaObject(schema['properties']) ? Object.entries(schema['properties']) : []
  const required = new Set(Array.isArray(schema['required']) ? schema['required'].map(String) : [])
  const inside = `${indent}  `
  const lines = fields.map(([name, field]) => {
    const key = IDENTIFIER.test(name) ? name : quoted(name)
    const type = union(optionsOf(field, { ...place, indent: inside }))
    return `${commentOf(field, inside)}${inside}${key}${required.has(name) ? '' : '?'}: ${type}\n`
  })
  // Named members must fit it as well, whatever they are.
  if (isSchemaObject(schema['additionalProperties'])) lines.push(`${inside}[name: string]: unknown\n`)
  return lines.length === 0 ? '{}' : `{\n${lines.join('')}${indent}}`
}

function commentOf(field: unknown, indent: string): string {
  if (!isSchemaObject(field)) return ''
  const about = typeof field['description'] === 'string' ? oneLine(field['description']) : ''
  const dataClass = typeof field['x-data-class'] === 'string' ? `Data class: ${oneLine(field['x-data-class'])}.` : ''
  const text = [about, dataClass].filter((part) => part !== '').join(' ')
  return text === '' ? '' : `${indent}/** ${text} */\n`
}

/** A text that cannot end the comment it stands in, nor look like another one. */
export function oneLine(text: string): string {
  return text
    .replaceAll(/\p{Bidi_Control}/gu, '')
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replaceAll('*/', '* /')
    .trim()
}

function literal(value: unknown): string {
  if (typeof value === 'string') return /^[\w .:/-]*$/.test(value) ? `'${value}'` : quoted(value)
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  return Array.isArray(value) ? 'unknown[]' : ANY_OBJECT
}

/** A string literal that shows everything that is in it. */
function quoted(text: string): string {
  const escape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.stringify(text).replaceAll(/[\p{Bidi_Control}\p{Zl}\p{Zp}]/gu, escape)
}

function distinct(options: readonly string[]): string[] {
  return [...new Set(options)]
}

function union(options: readonly string[]): string {
  if (options.length === 0) return 'never'
  return options.includes('unknown') ? 'unknown' : distinct(options).join(' | ')
}

/** A type that something can be put before or behind. */
function grouped(options: readonly string[]): string {
  const type = union(options)
  return type !== 'unknown' && distinct(options).length > 1 ? `(${type})` : type
}

function unescapeToken(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~')
}
