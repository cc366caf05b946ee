import { nearest } from '../nearest.ts'
import { MAX_DEPTH, LISTS, MAPS, ONE, subschemas } from './subschemas.ts'
import { besideProblems, expansionProblems, referenceProblems } from './reference-rules.ts'
import { inside, isSchemaObject, type SchemaObject, type SchemaProblem } from './schema-problem.ts'

export interface KeywordOptions {
  /** Why a pattern cannot run in linear time; `null`: it can. */
  patternProblem(source: string): string | null
}

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
const MAX_NODES = 5000
const MAX_WORDS = 200
const MAX_PATTERN = 256

/** Keywords that cannot be, cost too much, or lead elsewhere. */
export function keywordProblems(root: SchemaObject, options: KeywordOptions): SchemaProblem[] {
  const problems: SchemaProblem[] = []
  const all = subschemas(root)
  if (all.length > MAX_NODES) {
    return [{ path: '', message: `has more than ${MAX_NODES} schemas inside`, fix: 'Make it smaller.' }]
  }
  const places = new Set(all.map(({ path }) => path))
  const tracks = usesUnevaluated(root)
  for (const { schema, path, depth } of all) {
    if (depth > MAX_DEPTH)
      problems.push({ path, message: `is nested deeper than ${MAX_DEPTH}`, fix: 'Make it flatter.' })
    else if (typeof schema === 'boolean') continue
    else if (isSchemaObject(schema)) {
      problems.push(
        ...ownProblems(schema, path, places, options),
        ...nameProblems(schema, path),
        ...misjudged(schema, path, tracks),
      )
    } else problems.push({ path, message: 'is not a schema', fix: 'Write an object, true or false.' })
  }
  if (problems.length > 0) return problems
  const expansion = expansionProblems(root)
  if (expansion.length > 0) return expansion
  return all.flatMap(({ schema, path }) => (isSchemaObject(schema) ? besideProblems(schema, path, root) : []))
}

/** Validators pass over members of this name, whatever the schema says of them. */
const PASSED_OVER = '__proto__'

function nameProblems(schema: SchemaObject, path: string): SchemaProblem[] {
  const problem = (at: string) => ({
    path: at,
    message: 'is a name that validators pass over',
    fix: 'Use another name.',
  })
  const named = MAPS.filter((keyword) => isSchemaObject(schema[keyword]) && Object.hasOwn(schema[keyword], PASSED_OVER))
  const { required } = schema
  return [
    ...named.map((keyword) => problem(inside(inside(path, keyword), PASSED_OVER))),
    ...(Array.isArray(required) && required.includes(PASSED_OVER) ? [problem(inside(path, 'required'))] : []),
  ]
}

/** Asks which members or elements nothing else has looked at. */
export function usesUnevaluated(root: object): boolean {
  return subschemas(root).some(
    ({ schema }) => isSchemaObject(schema) && ('unevaluatedProperties' in schema || 'unevaluatedItems' in schema),
  )
}

/** Schemas of which one may do, or none. */
const CHOICES = ['anyOf', 'oneOf', 'allOf', 'if', 'not', 'dependentSchemas']

/**
 * What Ajv 8 does not check rightly: where it keeps track for `unevaluated…`, it fails on patterns for names beside choices;
 * and beside `prefixItems` it lets an empty list through that must contain something.
 */
function misjudged(schema: SchemaObject, path: string, tracks: boolean): SchemaProblem[] {
  const apart = (keyword: string, beside: string) => ({
    path: inside(path, keyword),
    message: `cannot be checked beside ${beside}`,
    fix: `Put ${keyword} into a schema of its own inside an allOf.`,
  })
  const lists = 'contains' in schema && 'prefixItems' in schema ? [apart('contains', 'prefixItems')] : []
  if (!tracks || !('patternProperties' in schema)) return lists
  return [
    ...lists,
    ...CHOICES.filter((keyword) => keyword in schema).map((keyword) => ({
      ...apart('patternProperties', keyword),
      fix: 'Leave unevaluatedProperties and unevaluatedItems out of the schema.',
    })),
  ]
}

function ownProblems(
  schema: SchemaObject,
  path: string,
  places: ReadonlySet<string>,
  options: KeywordOptions,
): SchemaProblem[] {
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
      problems.push(...referenceProblems(value, inside(path, keyword), places))
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
