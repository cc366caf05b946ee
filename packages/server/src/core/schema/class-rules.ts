import { DATA_CLASSES, DEFAULT_DATA_CLASSES, type DataClass } from '@runbell/sdk/contract'
import { inside, isSchemaObject, resolveLocal, type SchemaObject, type SchemaProblem } from './schema-problem.ts'

/** What cutting could not do justice to: where a value has no class as a whole, its parts must be plain to see. */
const UNSAFE_UNCLASSED = [
  ...['anyOf', 'oneOf', 'allOf', 'not', 'if', 'then', 'else', 'patternProperties', 'propertyNames', 'prefixItems'],
  ...[
    'contains',
    'dependentRequired',
    'dependentSchemas',
    'minProperties',
    'unevaluatedItems',
    'unevaluatedProperties',
  ],
]
const MAX_SUMMARY = 1000

/** What is inside a value: the classes its required parts have. */
interface Walk {
  root: SchemaObject
  problems: SchemaProblem[]
}

/** Every leaf has one class, only what always travels is required, and summaries are short. */
export function classProblems(root: SchemaObject): SchemaProblem[] {
  const walk: Walk = { root, problems: [] }
  visit(walk, root, '', true)
  return walk.problems
}

function add(walk: Walk, path: string, message: string, fix: string): void {
  walk.problems.push({ path, message, fix })
}

/** @param required the value is there whenever what it is in is there */
function visit(walk: Walk, value: unknown, path: string, required: boolean): void {
  if (!isSchemaObject(value)) return add(walk, path, 'has no data class', CLASS_FIX)
  const own = value['x-data-class']
  if (own !== undefined) return visitClassed(walk, value, path, required)
  const reference = value['$ref']
  if (typeof reference === 'string') return visit(walk, resolveLocal(reference, walk.root), path, required)
  for (const keyword of UNSAFE_UNCLASSED) {
    if (!(keyword in value)) continue
    const message = `${keyword} needs a data class for the value as a whole: what is inside could not be told apart`
    add(walk, inside(path, keyword), message, 'Set x-data-class beside it.')
  }
  const { properties, items, additionalProperties } = value
  if (isSchemaObject(properties) || isSchemaObject(additionalProperties)) visitObject(walk, value, path)
  else if (items !== undefined) visitItems(walk, value, path, required)
  else add(walk, path, 'has no data class', CLASS_FIX)
}

const CLASS_FIX = `Set "x-data-class" to one of ${DATA_CLASSES.filter((name) => name !== 'credential').join(', ')}.`

function visitClassed(walk: Walk, schema: SchemaObject, path: string, required: boolean): void {
  const name = schema['x-data-class'] as DataClass
  const at = inside(path, 'x-data-class')
  if (name === 'credential') {
    return add(walk, at, 'credentials are masked at acceptance and never delivered', 'Leave the field out.')
  }
  if (!DATA_CLASSES.includes(name)) return add(walk, at, 'is not a data class', CLASS_FIX)
  if (required && path !== '' && !DEFAULT_DATA_CLASSES.includes(name)) {
    const message = `is required and ${name}: a body without it could not be valid`
    add(walk, path, message, 'Take it out of required, or make it public or summary.')
  }
  if (
    path === '' &&
    !DEFAULT_DATA_CLASSES.includes(name) &&
    Array.isArray(schema['required']) &&
    schema['required'].length > 0
  ) {
    add(
      walk,
      inside(path, 'required'),
      `cannot be while all of the data is ${name}`,
      'Give each field a class of its own.',
    )
  }
  for (const inner of classesInside(schema, path))
    add(walk, inner, 'is inside a value that has a class', 'Take it out.')
  if (name === 'summary') summaryProblems(walk, schema, path)
}

function classesInside(schema: SchemaObject, path: string, depth = 0): string[] {
  if (depth > 32) return []
  return Object.entries(schema).flatMap(([keyword, value]) => {
    if (keyword === 'x-data-class') return depth === 0 ? [] : [inside(path, keyword)]
    if (keyword === 'const' || keyword === 'enum' || keyword === 'default' || keyword === 'examples') return []
    const children = Array.isArray(value) ? value.entries() : isSchemaObject(value) ? Object.entries(value) : []
    const base = Array.isArray(value) ? inside(path, keyword) : inside(path, keyword)
    if (isSchemaObject(value) && !['properties', '$defs', 'patternProperties', 'dependentSchemas'].includes(keyword)) {
      return classesInside(value, base, depth + 1)
    }
    return [...children].flatMap(([name, inner]) =>
      isSchemaObject(inner) ? classesInside(inner, inside(base, name), depth + 1) : [],
    )
  })
}

function summaryProblems(walk: Walk, schema: SchemaObject, path: string): void {
  if ('const' in schema || 'enum' in schema) return
  const length = schema['maxLength']
  const short = typeof length === 'number' && length <= MAX_SUMMARY
  if (schema['type'] === 'string' && short) return
  if (schema['type'] === 'array' && isSchemaObject(schema['items']))
    return summaryProblems(walk, schema['items'], inside(path, 'items'))
  const fix = `Set "type": "string" and a maxLength of at most ${MAX_SUMMARY}.`
  add(walk, path, 'a summary is a short text', fix)
}

function visitObject(walk: Walk, schema: SchemaObject, path: string): void {
  const properties = isSchemaObject(schema['properties']) ? schema['properties'] : {}
  const names = Array.isArray(schema['required']) ? schema['required'].map(String) : []
  for (const name of names) {
    if (!Object.hasOwn(properties, name)) {
      add(walk, inside(path, 'required'), `"${name}" is required and not among the properties`, 'Describe it there.')
    }
  }
  const from = schema['x-data-class-from']
  if (from !== undefined) visitClassFrom(walk, { properties, names, from, path })
  for (const [name, field] of Object.entries(properties)) {
    const at = inside(inside(path, 'properties'), name)
    if (from !== undefined && isSchemaObject(field) && field['x-data-class'] === undefined) continue
    visit(walk, field, at, names.includes(name))
  }
  const { additionalProperties } = schema
  if (isSchemaObject(additionalProperties))
    visit(walk, additionalProperties, inside(path, 'additionalProperties'), false)
}

interface ClassFrom {
  properties: SchemaObject
  names: readonly string[]
  from: unknown
  path: string
}

/** The member that names the class is there and names one; what it names it of can be masked. */
function visitClassFrom(walk: Walk, { properties, names, from, path }: ClassFrom): void {
  const at = inside(path, 'x-data-class-from')
  const field = typeof from === 'string' && Object.hasOwn(properties, from) ? properties[from] : undefined
  const words = isSchemaObject(field) ? field['enum'] : undefined
  const named =
    Array.isArray(words) && words.every((word) => word !== 'credential' && DATA_CLASSES.includes(word as DataClass))
  if (!named || !names.includes(String(from)) || (field as SchemaObject)['x-data-class'] !== 'public') {
    const fix = 'Name a required property that is public and an enum of data classes.'
    return add(walk, at, 'does not name a property that names a class', fix)
  }
  for (const [name, value] of Object.entries(properties)) {
    if (!isSchemaObject(value) || value['x-data-class'] !== undefined) continue
    const place = inside(inside(path, 'properties'), name)
    const { type, pattern, format, minLength, maxLength } = value
    const fits =
      type === 'string' && pattern === undefined && format === undefined && !('enum' in value) && !('const' in value)
    const long = (typeof minLength !== 'number' || minLength <= 3) && (typeof maxLength !== 'number' || maxLength >= 3)
    if (!fits || !long)
      add(walk, place, 'cannot be masked with •••', 'Make it a plain string that may have 3 characters.')
  }
}

function visitItems(walk: Walk, schema: SchemaObject, path: string, required: boolean): void {
  const items = schema['items']
  const least = schema['minItems']
  const mustHave = typeof least === 'number' && least > 0
  const resolved =
    isSchemaObject(items) && typeof items['$ref'] === 'string' ? resolveLocal(items['$ref'], walk.root) : items
  const name = isSchemaObject(resolved) ? (resolved['x-data-class'] as DataClass | undefined) : undefined
  if (mustHave && name !== undefined && !DEFAULT_DATA_CLASSES.includes(name)) {
    const message = `must have elements, and they are ${name}: a body without them could not be valid`
    add(walk, inside(path, 'minItems'), message, 'Put the class on the list instead of its elements.')
  }
  visit(walk, items, inside(path, 'items'), required && mustHave && name === undefined)
}
