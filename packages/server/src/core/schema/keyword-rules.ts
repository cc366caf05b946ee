import { nearest } from '../nearest.ts'
import { inside, isSchemaObject, resolveLocal, type SchemaObject, type SchemaProblem } from './schema-problem.ts'

export interface KeywordOptions {
  /** Why a pattern cannot run in linear time; `null`: it can. */
  patternProblem(source: string): string | null
}

/** Keywords whose value is one schema, a list of schemas, or schemas by name. */
export const ONE = [
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
export const LISTS = ['allOf', 'anyOf', 'oneOf', 'prefixItems']
export const MAPS = ['properties', '$defs', 'patternProperties', 'dependentSchemas']
const PLAIN = [
  ...['type', 'const', 'enum', 'format', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum', 'exclusiveMinimum'],
  ...[
    'exclusiveMaximum',
    'multipleOf',
    'minItems',
    'maxItems',
    'uniqueItems',
    'minContains',
    'maxContains',
    'required',
  ],
  ...['minProperties', 'maxProperties', 'dependentRequired', '$ref', '$schema', '$comment', 'title', 'description'],
  ...['default', 'examples', 'deprecated', 'readOnly', 'writeOnly', 'contentEncoding', 'contentMediaType'],
]
const KNOWN = new Set([...ONE, ...LISTS, ...MAPS, ...PLAIN])
/** The formats a schema may name; each is checked. */
export const SCHEMA_FORMATS = [
  'date-time',
  'date',
  'time',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uri',
  'uri-reference',
  'uuid',
] as const
const DRAFT = 'https://json-schema.org/draft/2020-12/schema'
const MAX_DEPTH = 32
const MAX_NODES = 5000
const MAX_WORDS = 200
const MAX_PATTERN = 256

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

/** Keywords that cannot be, cost too much, or lead elsewhere. */
export function keywordProblems(root: SchemaObject, options: KeywordOptions): SchemaProblem[] {
  const problems: SchemaProblem[] = []
  const all = subschemas(root)
  if (all.length > MAX_NODES) {
    return [{ path: '', message: `has more than ${MAX_NODES} schemas inside`, fix: 'Make it smaller.' }]
  }
  for (const { schema, path, depth } of all) {
    if (depth > MAX_DEPTH)
      problems.push({ path, message: `is nested deeper than ${MAX_DEPTH}`, fix: 'Make it flatter.' })
    else if (typeof schema === 'boolean') continue
    else if (isSchemaObject(schema)) problems.push(...ownProblems(schema, path, root, options))
    else problems.push({ path, message: 'is not a schema', fix: 'Write an object, true or false.' })
  }
  return problems.length > 0 ? problems : expansionProblems(root)
}

function ownProblems(schema: SchemaObject, path: string, root: SchemaObject, options: KeywordOptions): SchemaProblem[] {
  const problems: SchemaProblem[] = []
  const add = (keyword: string, message: string, fix: string) => {
    problems.push({ path: inside(path, keyword), message, fix })
  }
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword.startsWith('x-') && keyword !== 'x-open') continue
    if (keyword === 'x-open') {
      if (typeof value !== 'boolean') add(keyword, 'is true or false', 'Write true.')
    } else if (!KNOWN.has(keyword)) {
      const suggestion = nearest(keyword, [...KNOWN])
      const fix = suggestion === null ? 'Leave it out.' : `Use "${suggestion}".`
      add(keyword, 'is not a keyword that can be used here', fix)
    } else if (keyword === '$ref') {
      const local = typeof value === 'string' && resolveLocal(value, root) !== undefined
      if (!local) add(keyword, 'refers to something outside, or to nothing', 'Refer to #/$defs/… of this schema.')
    } else if (keyword === '$schema' && value !== DRAFT)
      add(keyword, 'is another dialect', `Leave it out, or write ${DRAFT}.`)
    else if (keyword === 'pattern') problems.push(...patternProblems(value, inside(path, keyword), options))
    else if (keyword === 'patternProperties' && isSchemaObject(value)) {
      for (const source of Object.keys(value)) problems.push(...patternProblems(source, inside(path, keyword), options))
    } else if (keyword === 'format' && !SCHEMA_FORMATS.some((known) => known === value)) {
      add(keyword, 'is not a format that is checked', `Use one of ${SCHEMA_FORMATS.join(', ')}.`)
    } else if (keyword === 'enum' && (!Array.isArray(value) || value.length === 0 || value.length > MAX_WORDS)) {
      add(keyword, `is a list of 1 to ${MAX_WORDS} values`, 'Shorten it, or use a string with a pattern.')
    }
  }
  return problems
}

function patternProblems(source: unknown, path: string, { patternProblem }: KeywordOptions): SchemaProblem[] {
  if (typeof source !== 'string' || source.length > MAX_PATTERN) {
    return [{ path, message: `is a text of at most ${MAX_PATTERN} characters`, fix: 'Shorten it.' }]
  }
  const message = patternProblem(source)
  return message === null ? [] : [{ path, message, fix: 'Write it without them.' }]
}

/** Schemas that refer to others can take exponential time although they are short: counted with every reference followed. */
function expansionProblems(root: SchemaObject): SchemaProblem[] {
  const sizes = new Map<unknown, number>()
  const open = new Set<unknown>()
  let cyclic = false
  function size(schema: unknown): number {
    if (!isSchemaObject(schema)) return 1
    const known = sizes.get(schema)
    if (known !== undefined) return known
    if (open.has(schema)) {
      cyclic = true
      return 1
    }
    open.add(schema)
    let total = 1
    for (const [keyword, value] of Object.entries(schema)) {
      if (keyword === '$ref' && typeof value === 'string') total += size(resolveLocal(value, root))
      else if (ONE.includes(keyword)) total += size(value)
      else if (LISTS.includes(keyword) && Array.isArray(value)) for (const item of value) total += size(item)
      else if (MAPS.includes(keyword) && keyword !== '$defs' && isSchemaObject(value)) {
        for (const item of Object.values(value)) total += size(item)
      }
    }
    open.delete(schema)
    sizes.set(schema, total)
    return total
  }
  const total = size(root)
  if (cyclic) {
    const fix = 'Give the value that repeats itself a class as a whole, without saying what is inside it.'
    return [{ path: '', message: 'refers to itself', fix }]
  }
  if (total <= MAX_NODES) return []
  return [
    { path: '', message: `has more than ${MAX_NODES} schemas with every reference followed`, fix: 'Make it smaller.' },
  ]
}
