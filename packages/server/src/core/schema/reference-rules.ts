import { LISTS, MAPS, ONE } from './subschemas.ts'
import { isSilent } from './same-schema.ts'
import { canonicalJson } from './schema-types.ts'
import {
  followReferences,
  inside,
  isSchemaObject,
  resolveLocal,
  type SchemaObject,
  type SchemaProblem,
} from './schema-problem.ts'

/** With every reference followed. */
const MAX_NODES = 5000
const MAX_HEIGHT = 64
/** What may stand beside a reference: it holds as well, whatever the definition says. */
const BESIDE = new Set([
  ...['$ref', 'type', 'enum', 'const', 'format', 'pattern', 'minLength', 'maxLength', 'multipleOf'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'x-data-class', 'x-open'],
])

/**
 * Why a reference cannot be followed. Only schemas can be referred to, for nothing else has been looked through; and
 * percent-encoding is read in one way here and in another there.
 *
 * @param places the paths of all schemas inside the schema
 */
export function referenceProblems(reference: unknown, at: string, places: ReadonlySet<string>): SchemaProblem[] {
  if (typeof reference === 'string' && reference.includes('%')) {
    const fix = 'Give the definition a name of letters, digits, _ and -.'
    return [{ path: at, message: 'has a percent sign, which not everybody reads in the same way', fix }]
  }
  if (typeof reference === 'string' && reference.startsWith('#') && places.has(reference.slice(1))) return []
  const message = 'refers to something outside, to what is no schema, or to nothing'
  return [{ path: at, message, fix: 'Refer to #/$defs/… of this schema.' }]
}

/** What stands beside a reference where nobody would look for it, or says otherwise than what is referred to. */
export function besideProblems(schema: SchemaObject, path: string, root: SchemaObject): SchemaProblem[] {
  if (typeof schema['$ref'] !== 'string') return []
  const target = followReferences({ $ref: schema['$ref'] }, root)
  return Object.entries(schema).flatMap(([keyword, value]): SchemaProblem[] => {
    if (isSilent(keyword)) return []
    const at = inside(path, keyword)
    if (!BESIDE.has(keyword)) {
      return [{ path: at, message: 'stands beside a reference', fix: 'Put it into the definition.' }]
    }
    if (keyword === 'x-open' || keyword === 'x-data-class' || !(keyword in target)) return []
    if (canonicalJson(target[keyword]) === canonicalJson(value)) return []
    return [{ path: at, message: 'is said otherwise in the definition', fix: 'Say it in one place.' }]
  })
}

/** Schemas that refer to others can take exponential time although they are short: counted with every reference followed. */
export function expansionProblems(root: SchemaObject): SchemaProblem[] {
  const known = new Map<unknown, { size: number; height: number }>()
  const open = new Set<unknown>()
  let cyclic = false
  function measure(schema: unknown): { size: number; height: number } {
    if (!isSchemaObject(schema)) return { size: 1, height: 1 }
    const before = known.get(schema)
    if (before !== undefined) return before
    if (open.has(schema)) {
      cyclic = true
      return { size: 1, height: 1 }
    }
    open.add(schema)
    let [size, height] = [1, 0]
    for (const inner of childrenOf(schema, root)) {
      const found = measure(inner)
      size += found.size
      height = Math.max(height, found.height)
    }
    open.delete(schema)
    known.set(schema, { size, height: height + 1 })
    return { size, height: height + 1 }
  }
  const { size, height } = measure(root)
  const followed = 'with every reference followed'
  if (cyclic) {
    const fix = 'Give the value that repeats itself a class as a whole, without saying what is inside it.'
    return [{ path: '', message: 'refers to itself', fix }]
  }
  if (size > MAX_NODES) {
    return [{ path: '', message: `has more than ${MAX_NODES} schemas ${followed}`, fix: 'Make it smaller.' }]
  }
  if (height <= MAX_HEIGHT) return []
  return [{ path: '', message: `is nested deeper than ${MAX_HEIGHT} ${followed}`, fix: 'Make it flatter.' }]
}

function* childrenOf(schema: SchemaObject, root: SchemaObject): Iterable<unknown> {
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === '$ref' && typeof value === 'string') yield resolveLocal(value, root)
    else if (ONE.includes(keyword)) yield value
    else if (LISTS.includes(keyword) && Array.isArray(value)) yield* value
    else if (MAPS.includes(keyword) && keyword !== '$defs' && isSchemaObject(value)) yield* Object.values(value)
  }
}
