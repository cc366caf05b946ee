import { LISTS, MAPS, ONE } from './subschemas.ts'
import { canonicalJson } from './schema-types.ts'
import { followReferences, isSchemaObject, type SchemaObject } from './schema-problem.ts'

/** Keywords that say nothing about which values are valid. */
export const WORDS_ONLY: ReadonlySet<string> = new Set([
  ...['title', 'description', '$comment', 'default', 'examples', 'deprecated', 'readOnly', 'writeOnly'],
  ...['$defs', '$schema'],
])
/** Our own keywords that decide something. */
const TELLING = new Set(['x-data-class', 'x-data-class-from', 'x-open'])
/** Lists whose order says nothing. */
const SETS = new Set(['type', 'enum', 'required'])

/** Says nothing about which values are valid, or whose they are. */
export function isSilent(keyword: string): boolean {
  return WORDS_ONLY.has(keyword) || (keyword.startsWith('x-') && !TELLING.has(keyword))
}

/** Whether what one keyword says in two schemas is the same. */
export type SameKeyword = (keyword: string, one: unknown, other: unknown) => boolean

/**
 * Compares what is said and not how: references are followed in both, words and the order of members do not count. Ends on
 * schemas that refer to themselves: two that are being compared already are taken to be the same.
 *
 * @param before what references of the first one lead into
 * @param after what references of the other lead into
 */
export function sameKeywords(before: SchemaObject, after: SchemaObject): SameKeyword {
  return (keyword, one, other) => sameIn(keyword, one, other, new Map())

  function sameIn(keyword: string, one: unknown, other: unknown, assumed: Map<unknown, Set<unknown>>): boolean {
    const bothLists = Array.isArray(one) && Array.isArray(other)
    if (ONE.includes(keyword)) return same(one, other, assumed)
    if (LISTS.includes(keyword) && bothLists) {
      return one.length === other.length && one.every((part, index) => same(part, other[index], assumed))
    }
    if (MAPS.includes(keyword) && isSchemaObject(one) && isSchemaObject(other)) {
      const names = Object.keys(one)
      if (names.length !== Object.keys(other).length) return false
      return names.every((name) => Object.hasOwn(other, name) && same(one[name], other[name], assumed))
    }
    if (SETS.has(keyword) && bothLists) return canonicalJson(sorted(one)) === canonicalJson(sorted(other))
    return canonicalJson(one) === canonicalJson(other)
  }

  function same(one: unknown, other: unknown, assumed: Map<unknown, Set<unknown>>): boolean {
    if (!isSchemaObject(one) || !isSchemaObject(other)) return one === other
    const known = assumed.get(one) ?? new Set()
    if (known.has(other)) return true
    assumed.set(one, known.add(other))
    const [left, right] = [told(followReferences(one, before)), told(followReferences(other, after))]
    if (left.size !== right.size) return false
    return [...left].every(
      ([keyword, value]) => right.has(keyword) && sameIn(keyword, value, right.get(keyword), assumed),
    )
  }
}

function told(schema: SchemaObject): Map<string, unknown> {
  return new Map(Object.entries(schema).filter(([keyword]) => !isSilent(keyword)))
}

function sorted(list: readonly unknown[]): string[] {
  return list.map(canonicalJson).toSorted()
}
