import { DATA_CLASSES, DEFAULT_DATA_CLASSES, type DataClass } from '@runbell/sdk/contract'
import { LISTS, MAPS, ONE } from './subschemas.ts'
import { isSilent } from './same-schema.ts'
import {
  followReferences,
  inside,
  isSchemaObject,
  resolveLocal,
  type SchemaObject,
  type SchemaProblem,
} from './schema-problem.ts'

/** What cutting could not do justice to: where a value has no class as a whole, its parts must be plain to see. */
const UNSAFE_UNCLASSED = [
  ...['anyOf', 'oneOf', 'allOf', 'not', 'if', 'then', 'else', 'patternProperties', 'propertyNames', 'prefixItems'],
  ...['contains', 'dependentRequired', 'dependentSchemas', 'minProperties', 'const', 'enum'],
  ...['unevaluatedItems', 'unevaluatedProperties'],
]
/** What all of the data may not be asked where all of it can be cut: what is left is `{}`. */
const UNSAFE_WHOLE = [
  'anyOf',
  'oneOf',
  'allOf',
  'not',
  'if',
  'dependentSchemas',
  'minProperties',
  'const',
  'enum',
  '$ref',
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
  for (const keyword of UNSAFE_UNCLASSED) {
    if (!(keyword in value)) continue
    const message = `${keyword} needs a data class for the value as a whole: what is inside could not be told apart`
    add(walk, inside(path, keyword), message, 'Set x-data-class beside it.')
  }
  const { $ref: reference, properties, items, additionalProperties } = value
  if (typeof reference === 'string') return visit(walk, resolveLocal(reference, walk.root), path, required)
  const [isObject, isList] = [isSchemaObject(properties) || isSchemaObject(additionalProperties), items !== undefined]
  if (!isObject && !isList) return add(walk, path, 'has no data class', CLASS_FIX)
  if (isObject) visitObject(walk, value, path)
  if (isList) visitItems(walk, value, path, required)
  const type = isObject ? 'object' : 'array'
  if (value['type'] === type && isObject !== isList) return
  const message = `is "${type}": a value of another type would have no data class, and be cut`
  add(walk, inside(path, 'type'), message, `Set "type": "${type}", or a data class for the value as a whole.`)
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
  if (path === '' && !DEFAULT_DATA_CLASSES.includes(name)) wholeProblems(walk, schema, name)
  for (const inner of classesInside(schema, walk.root, path)) {
    add(walk, inner, 'is inside a value that has a class', 'Take it out.')
  }
  if (name === 'summary') summaryProblems(walk, schema, path)
}

/** The body of whoever has no grant for it is `{}`. */
function wholeProblems(walk: Walk, schema: SchemaObject, name: DataClass): void {
  const { required } = schema
  const asked = UNSAFE_WHOLE.filter((keyword) => keyword in schema)
  if (Array.isArray(required) && required.length > 0) asked.push('required')
  for (const keyword of asked) {
    const message = `cannot be while all of the data is ${name}`
    add(walk, inside('', keyword), message, 'Give each field a class of its own.')
  }
}

/** The places of classes inside a schema, also where it refers to others. */
function classesInside(schema: SchemaObject, root: SchemaObject, path: string, isOuter = true): string[] {
  return Object.entries(schema).flatMap(([keyword, value]): string[] => {
    const at = inside(path, keyword)
    if (keyword === 'x-data-class') return isOuter ? [] : [at]
    if (keyword === '$ref' && typeof value === 'string') {
      const target = resolveLocal(value, root)
      return isSchemaObject(target) ? classesInside(target, root, at, false) : []
    }
    return childrenOf(keyword, value).flatMap(([name, inner]) =>
      isSchemaObject(inner) ? classesInside(inner, root, name === null ? at : inside(at, name), false) : [],
    )
  })
}

/** The schemas that a keyword holds, with their names; `null`: it is one itself. */
function childrenOf(keyword: string, value: unknown): [string | number | null, unknown][] {
  if (ONE.includes(keyword)) return [[null, value]]
  if (LISTS.includes(keyword) && Array.isArray(value)) return [...value.entries()]
  return MAPS.includes(keyword) && keyword !== '$defs' && isSchemaObject(value) ? Object.entries(value) : []
}

function summaryProblems(walk: Walk, value: unknown, path: string): void {
  const schema = followReferences(value, walk.root)
  const words = 'const' in schema ? [schema['const']] : schema['enum']
  const fits = Array.isArray(words)
    ? words.every((word) => word === null || (typeof word === 'string' && word.length <= MAX_SUMMARY))
    : schema['type'] === 'string' && typeof schema['maxLength'] === 'number' && schema['maxLength'] <= MAX_SUMMARY
  if (fits) return
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
    if (!isSchemaObject(value) || value['x-data-class'] !== undefined || canBeMasked(value)) continue
    const place = inside(inside(path, 'properties'), name)
    add(walk, place, 'cannot be masked with •••', 'Make it a plain string that may have 3 characters.')
  }
  const flag = properties['masked']
  const isFlag = isSchemaObject(flag) && flag['type'] === 'boolean' && flag['x-data-class'] === 'public'
  if (!('masked' in properties) || (isFlag && !('const' in flag) && !('enum' in flag))) return
  const place = inside(inside(path, 'properties'), 'masked')
  add(walk, place, 'is set to true where the value is masked', 'Make it a public boolean.')
}

/** A string of any three characters is valid. */
function canBeMasked(field: SchemaObject): boolean {
  const { minLength: least = 0, maxLength: most = 3 } = field
  const isPlain = Object.keys(field).every((keyword) => PLAIN_TEXT.has(keyword) || isSilent(keyword))
  return isPlain && field['type'] === 'string' && Number(least) <= 3 && Number(most) >= 3
}

const PLAIN_TEXT = new Set(['type', 'minLength', 'maxLength', 'x-open'])

function visitItems(walk: Walk, schema: SchemaObject, path: string, required: boolean): void {
  const items = schema['items']
  const least = schema['minItems']
  const mustHave = typeof least === 'number' && least > 0
  const name = followReferences(items, walk.root)['x-data-class'] as DataClass | undefined
  if (mustHave && name !== undefined && !DEFAULT_DATA_CLASSES.includes(name)) {
    const message = `must have elements, and they are ${name}: a body without them could not be valid`
    add(walk, inside(path, 'minItems'), message, 'Put the class on the list instead of its elements.')
  }
  if (schema['uniqueItems'] === true && name === undefined) {
    const message = 'needs a data class for each element as a whole: without a part of them, two could be the same'
    add(walk, inside(path, 'uniqueItems'), message, 'Set x-data-class in items, or beside it.')
  }
  visit(walk, items, inside(path, 'items'), required && mustHave && name === undefined)
}
