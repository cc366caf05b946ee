import type { FoundChange } from './schema-change.ts'
import { typesOf, wordsOf } from './schema-types.ts'
import { inside, type SchemaObject } from './schema-problem.ts'

/** Keywords that say nothing about a value, or that are compared elsewhere. */
const ELSEWHERE = new Set([
  ...['properties', 'required', 'items', 'additionalProperties', '$ref', '$defs', '$schema', '$comment', 'title'],
  ...['description', 'default', 'examples', 'deprecated', 'readOnly', 'writeOnly', 'type', 'enum', 'const'],
  ...['x-data-class', 'x-data-class-from', 'x-open'],
])
const UPPER = ['maxLength', 'maximum', 'exclusiveMaximum', 'maxItems', 'maxProperties']
const LOWER = ['minLength', 'minimum', 'exclusiveMinimum', 'minItems', 'minProperties']

/** What became of one value, without what is inside it. */
export function compareLeaves(old: SchemaObject, fresh: SchemaObject, path: string): FoundChange[] {
  const open = old['x-open'] === true
  const changes = [
    ...typeChange(old, fresh, path),
    ...classChange(old, fresh, path),
    ...wordsChange(old, fresh, path, open),
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
    if (ELSEWHERE.has(keyword) || (keyword.startsWith('x-') && keyword !== 'x-open')) continue
    changes.push(...keywordChange(keyword, old[keyword], fresh[keyword], path, open))
  }
  return changes
}

function keywordChange(keyword: string, old: unknown, fresh: unknown, path: string, open: boolean): FoundChange[] {
  if (JSON.stringify(old) === JSON.stringify(fresh)) return []
  const isUpper = UPPER.includes(keyword)
  if (isUpper || LOWER.includes(keyword)) return boundChange(keyword, old, fresh, path, isUpper, open)
  if (old === undefined) {
    const reason = `${keyword} is new: less can come than before`
    return [{ path, kind: `${keyword}_added`, verdict: 'additive', reason }]
  }
  if (keyword === 'uniqueItems' && fresh === true) {
    return [{ path, kind: 'bound_tightened', verdict: 'additive', reason: 'no element comes twice any more' }]
  }
  const kind = keyword === 'pattern' || keyword === 'format' ? `${keyword}_changed` : 'cannot_compare'
  const reason =
    kind === 'cannot_compare'
      ? `${keyword} has changed, and whether what comes now is what came before cannot be shown`
      : `${keyword} is another one: consumers may get what they do not expect`
  return [{ path: kind === 'cannot_compare' ? inside(path, keyword) : path, kind, verdict: 'breaking', reason }]
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
  if ([...before].every((type) => after.has(type))) return []
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
