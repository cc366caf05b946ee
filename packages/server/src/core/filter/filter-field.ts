import type { DataClass } from '@runbell/sdk/contract'
import type { Catalog } from '../catalog/type-contract.ts'
import { nearest } from '../nearest.ts'
import type { DataShape } from '../schema/data-shape.ts'

/** Fields of the envelope that are known when an event is matched, and public. */
export const ENVELOPE_FIELDS: readonly string[] = [
  ...['/event_id', '/type', '/schema_version', '/mode', '/tenant_id', '/run_id', '/task_id', '/conversation_id'],
  ...['/agent/id', '/trace_id', '/causation_id', '/timestamp', '/expires_at'],
]

/** Names of the envelope that a filter may not use, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  '/agent/name': 'is of class operational: matching on it would tell what it is. Only public fields can be named',
  '/agent/version': 'is of class operational: matching on it would tell what it is. Only public fields can be named',
  '/sequence': 'is given in the transaction that stores the event, after it was matched',
  '/recorded_at': 'is given in the transaction that stores the event, after it was matched',
  '/withheld': 'is different for each endpoint, and follows from its grants',
}

/**
 * Quotes, backslashes and control characters. With none of them the stored filter has no escaped member name, which
 * `JSON.parse` of Node 24 may read wrongly (decision 7).
 */
// oxlint-disable-next-line no-control-regex -- these are the characters to refuse
const UNSAFE = /["\\\u0000-\u001f\u007f]|~(?![01])/
/** As deep as data may be, and `data` itself. */
const MAX_TOKENS = 33

export interface FieldProblem {
  message: string
  fix?: string
}

/** What is wrong with the name of a field, as far as it does not depend on the catalog; `null`: nothing. */
export function fieldProblem(pointer: string): FieldProblem | null {
  if (UNSAFE.test(pointer)) {
    return {
      message: 'is no JSON Pointer without quotes, backslashes and control characters (~ is written ~0, / is ~1)',
    }
  }
  if (pointer.split('/').length - 1 > MAX_TOKENS) return { message: `names more than ${MAX_TOKENS} levels` }
  if (/^\/data\/./.test(pointer) || /^\/metadata\/[^/]+$/.test(pointer) || ENVELOPE_FIELDS.includes(pointer))
    return null
  const refused = Object.hasOwn(REFUSED, pointer) ? REFUSED[pointer] : undefined
  if (refused !== undefined) return { message: refused }
  const near = nearest(pointer, ENVELOPE_FIELDS)
  const fix = near === null ? `Fields of the payload are written /data${pointer.slice(0, 100)}.` : `Use "${near}".`
  return { message: 'is no field of the envelope', fix }
}

/** What the catalog says of a field of `data`. */
export type FieldVerdict =
  /** Some version of some type has it, and it is public there. */
  | { kind: 'public' }
  /** It is nowhere public. */
  | { kind: 'classed'; dataClass: DataClass | 'another'; type: string }
  /** It is an object or a list whose fields have classes of their own. */
  | { kind: 'inner'; type: string }
  | { kind: 'unknown' }

/** Looks a field up in every version of these types: events of any of them can still be published. */
export function lookUpField(catalog: Catalog, types: readonly string[], tokens: readonly string[]): FieldVerdict {
  let found: FieldVerdict = { kind: 'unknown' }
  for (const type of types) {
    const contract = catalog.find(type)
    for (let number = contract?.current ?? 0; number >= 1; number--) {
      const shape = contract?.version(number)?.shape
      const given = shape === undefined ? null : classAt(shape, tokens)
      if (given === 'public') return { kind: 'public' }
      if (given === 'inner' && found.kind === 'unknown') found = { kind: 'inner', type }
      else if (given !== null && given !== 'inner' && found.kind !== 'classed') {
        found = { kind: 'classed', dataClass: given, type }
      }
    }
  }
  return found
}

/**
 * The class of what a path leads to. `another`: the event itself names it. `inner`: what is inside has classes of its own.
 * @param tokens the pointer's, `data` first
 */
function classAt(data: DataShape, tokens: readonly string[]): DataClass | 'another' | 'inner' | null {
  let at = data
  let ofEvent = false
  for (const token of tokens.slice(1)) {
    if (at.dataClass !== null) return at.dataClass
    if (at.items !== null) return 'inner'
    ofEvent = at.classFrom !== null
    const inner: DataShape | null = at.properties?.get(token) ?? at.additional
    if (inner === null) return null
    at = inner
  }
  if (at.dataClass !== null) return at.dataClass
  if (at.properties !== null || at.additional !== null || at.items !== null) return 'inner'
  return ofEvent ? 'another' : null
}
