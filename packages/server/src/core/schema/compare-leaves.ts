import type { FoundChange } from './schema-change.ts'
import { isSilent, type SameKeyword } from './same-schema.ts'
import { typesOf, wordsOf } from './schema-types.ts'
import { inside, type SchemaObject } from './schema-problem.ts'

/** Keywords that are compared elsewhere. */
const ELSEWHERE = new Set([
  ...['properties', 'required', 'items', 'additionalProperties', '$ref', 'type', 'enum', 'const'],
  ...['contains', 'minContains', 'maxContains', 'x-data-class', 'x-data-class-from', 'x-open'],
])
const UPPER = ['maxLength', 'maximum', 'exclusiveMaximum', 'maxItems', 'maxProperties', 'maxContains']
const LOWER = ['minLength', 'minimum', 'exclusiveMinimum', 'minItems', 'minProperties', 'minContains']
/** What it means that a keyword is not there. */
const ABSENT: Readonly<Record<string, unknown>> = { uniqueItems: false, minLength: 0, minItems: 0, minProperties: 0 }

/** What became of one value, without what is inside it. */
export function compareLeaves(
  old: SchemaObject,
  fresh: SchemaObject,
  path: string,
  isSame: SameKeyword,
): FoundChange[] {
  const open = old['x-open'] === true
  const changes = [
    ...typeChange(old, fresh, path),
    ...classChange(old, fresh, path),
    ...wordsChange(old, fresh, path, open),
    ...containsChange(old, fresh, path, isSame),
  ]
  if (open && fresh['x-open'] !== true) {
    const reason = 'the field is closed now; consumers were told that it may grow'
    changes.push({ path, kind: 'open_changed', verdict: 'additive', reason })
  } else if (!open && fresh['x-open'] === true) {
    const reason = 'the field may grow from now on, and consumers were built for a closed one'
    changes.push({ path, kind: 'open_changed', verdict: 'breaking', reason })
  }
  const keywords = new Set([...Object.keys(old), ...Object.keys(fresh)])
  for (const keyword of keywords) {
    if (ELSEWHERE.has(keyword) || isSilent(keyword)) continue
    const [before, after] = [stated(old, keyword), stated(fresh, keyword)]
    if (!isSame(keyword, before, after)) changes.push(...keywordChange(keyword, before, after, path, open))
  }
  return changes
}

function stated(schema: SchemaObject, keyword: string): unknown {
  const value = schema[keyword]
  return Object.hasOwn(ABSENT, keyword) && value === ABSENT[keyword] ? undefined : value
}

function keywordChange(keyword: string, old: unknown, fresh: unknown, path: string, open: boolean): FoundChange[] {
  const isUpper = UPPER.includes(keyword)
  if (isUpper || LOWER.includes(keyword)) return boundChange(keyword, old, fresh, path, isUpper, open)
  if (keyword === 'uniqueItems' && fresh === true) {
    return [{ path, kind: 'bound_tightened', verdict: 'additive', reason: 'no element comes twice any more' }]
  }
  // Consumers pass over members that they do not know, so they never relied on there being none.
  const wasOpen = old === undefined || (keyword === 'unevaluatedProperties' && old === false)
  if (wasOpen) {
    if (fresh === undefined) return []
    const reason = `${keyword} is new: less can come than before`
    return [{ path, kind: `${keyword}_added`, verdict: 'additive', reason }]
  }
  if (keyword !== 'pattern' && keyword !== 'format') return [cannotCompare(keyword, path)]
  const reason = `${keyword} is another one: consumers may get what they do not expect`
  return [{ path, kind: `${keyword}_changed`, verdict: 'breaking', reason }]
}

/** What cannot be shown to be harmless is not. */
export function cannotCompare(keyword: string, path: string): FoundChange {
  const reason = `${keyword} has changed, and whether what comes now is what came before cannot be shown`
  return { path: inside(path, keyword), kind: 'cannot_compare', verdict: 'breaking', reason }
}

/** Without `contains`, how often it is met says nothing. */
function containsChange(old: SchemaObject, fresh: SchemaObject, path: string, isSame: SameKeyword): FoundChange[] {
  if (!('contains' in old)) {
    if (!('contains' in fresh)) return []
    const reason = 'contains is new: less can come than before'
    return [{ path, kind: 'contains_added', verdict: 'additive', reason }]
  }
  if (!('contains' in fresh) || !isSame('contains', old['contains'], fresh['contains'])) {
    return [cannotCompare('contains', path)]
  }
  return ['minContains', 'maxContains'].flatMap((keyword) => {
    const otherwise = keyword === 'minContains' ? 1 : undefined
    const [before, after] = [old[keyword] ?? otherwise, fresh[keyword] ?? otherwise]
    return before === after ? [] : boundChange(keyword, before, after, path, keyword === 'maxContains', false)
  })
}

function boundChange(
  keyword: string,
  old: unknown,
  fresh: unknown,
  path: string,
  isUpper: boolean,
  open: boolean,
): FoundChange[] {
  const none = isUpper ? Infinity : -Infinity
  const [before, after] = [Number(old ?? none), Number(fresh ?? none)]
  const tighter = isUpper ? after < before : after > before
  const words = `${keyword} from ${shown(old, 'none')} to ${shown(fresh, 'none')}`
  if (tighter) {
    const reason = `${words}: nothing comes that did not come before; producers that send more are refused`
    return [{ path, kind: 'bound_tightened', verdict: 'additive', reason }]
  }
  const reason = open
    ? `${words}, in a field that may grow`
    : `${words}: consumers may get more than they have room for`
  return [{ path, kind: 'bound_widened', verdict: open ? 'additive' : 'breaking', reason }]
}

function typeChange(old: SchemaObject, fresh: SchemaObject, path: string): FoundChange[] {
  const [before, after] = [typesOf(old), typesOf(fresh)]
  if (before === null) {
    if (after === null) return []
    return [
      {
        path,
        kind: 'type_changed',
        verdict: 'additive',
        reason: `it is always ${list(after)} now; before, it could be anything`,
      },
    ]
  }
  const covers = (type: string) => before.has(type) || (type === 'integer' && before.has('number'))
  if (after === null || ![...after].every(covers)) {
    const reason = `it was ${list(before)} and can be ${after === null ? 'anything' : list(after)} now`
    return [{ path, kind: 'type_changed', verdict: 'breaking', reason }]
  }
  if ([...before].every((type) => after.has(type) || (type === 'integer' && after.has('number')))) return []
  return [
    {
      path,
      kind: 'type_changed',
      verdict: 'additive',
      reason: `it is only ${list(after)} now, and was ${list(before)}`,
    },
  ]
}

function list(types: ReadonlySet<string>): string {
  return [...types].join(' or ')
}

function classChange(old: SchemaObject, fresh: SchemaObject, path: string): FoundChange[] {
  return ['x-data-class', 'x-data-class-from'].flatMap((keyword): FoundChange[] => {
    const [before, after] = [old[keyword], fresh[keyword]]
    if (before === after) return []
    const reason = `its data class was ${shown(before, 'stated inside')} and is ${shown(after, 'stated inside')}: who gets it changes`
    return [{ path, kind: 'class_changed', verdict: 'breaking', reason }]
  })
}

function wordsChange(old: SchemaObject, fresh: SchemaObject, path: string, open: boolean): FoundChange[] {
  const [before, after] = [wordsOf(old), wordsOf(fresh)]
  if (before === null) {
    if (after === null) return []
    return [{ path, kind: 'enum_shrunk', verdict: 'additive', reason: 'only a closed set of values comes now' }]
  }
  const fresher = after === null ? null : after.filter((word) => !before.includes(word))
  if (fresher === null || fresher.length > 0) {
    const what = fresher === null ? 'any value' : fresher.join(', ')
    const reason = open
      ? `${what} can come, in a field that may grow`
      : `${what} can come, and a consumer that switches over the values meets one it does not know`
    return [{ path, kind: 'enum_grown', verdict: open ? 'additive' : 'breaking', reason }]
  }
  if ((after as string[]).length === before.length) return []
  return [{ path, kind: 'enum_shrunk', verdict: 'additive', reason: 'fewer values come than before' }]
}

function shown(value: unknown, otherwise: string): string {
  if (value === undefined) return otherwise
  return typeof value === 'string' ? value : JSON.stringify(value)
}
