import type { ProblemDetail, Warning } from '@runbell/sdk/contract'
import { applyEdits, utf8Bytes, type ByteEdit } from './byte-edits.ts'
import { maskCredentials } from './credentials/mask-credentials.ts'
import type { JsonIndex } from './json-index.ts'
import type { DataShape } from './schema/data-shape.ts'

/** What came of looking for credentials in an event. */
export type Masking =
  | { kind: 'clean' }
  /** The whole event again, with what looked like credentials masked. */
  | { kind: 'masked'; bytes: Uint8Array; warnings: Warning[] }
  /** It stands where it cannot be masked without changing what the event is. */
  | { kind: 'refused'; errors: ProblemDetail[] }

/** No credential is shorter. */
const SHORTEST = 8
const MAX_REPORTED = 20
const MAX_PATH = 128

/** Ids and times: each has a pattern of its own, which decides what may stand there. */
const FIXED_KEYS = new Set([
  'type',
  'event_id',
  'timestamp',
  'schema_version',
  'run_id',
  'task_id',
  'trace_id',
  'causation_id',
  'expires_at',
  'mode',
])
/** These say whose event it is, and which: masked they would say something else. */
const REFUSED_KEYS = new Set(['tenant_id', 'idempotency_key'])

/**
 * Masks what looks like a credential in every string of an event, whatever its class, before anything else is done with
 * it (details 5). Names of members are left alone, and so are strings that have a `pattern`. All other bytes stay.
 *
 * @param shape of the data; `null`: nothing is known of it
 */
export function maskEvent(json: JsonIndex, shape: DataShape | null): Masking {
  const edits: ByteEdit[] = []
  const warnings: Warning[] = []
  const errors: ProblemDetail[] = []
  for (let node = 0; node < json.nodeCount; node++) {
    if (json.kind(node) !== 'string' || json.end(node) - json.start(node) < SHORTEST + 2) continue
    const found = maskCredentials(json.text(node))
    if (found === null) continue
    const rule = ruleFor(json, node, shape)
    if (rule === 'keep') continue
    const path = json.pointer(node, MAX_PATH)
    const kinds = [...new Set(found.kinds)].join(', ')
    if (rule === 'refuse') {
      errors.push({ path, message: `looks like a credential (${kinds}), which may not be an identifier` })
      continue
    }
    edits.push({ start: json.start(node), end: json.end(node), text: utf8Bytes(JSON.stringify(found.text)) })
    if (warnings.length === MAX_REPORTED) continue
    warnings.push({
      code: 'credential_masked',
      path,
      message: `held what looks like a credential (${kinds}); it was masked`,
    })
  }
  if (errors.length > 0) return { kind: 'refused', errors }
  if (edits.length === 0) return { kind: 'clean' }
  const bytes = applyEdits(json.bytes, json.start(json.root), json.end(json.root), edits)
  return { kind: 'masked', bytes, warnings }
}

/** Climbs to the member of the event that the string is in; within the data, its shape decides. */
function ruleFor(json: JsonIndex, node: number, shape: DataShape | null): 'mask' | 'keep' | 'refuse' {
  const way: number[] = []
  for (let at = node; at !== json.root; at = json.parent(at)) way.push(at)
  const member = way.pop()
  if (member === undefined || !json.hasKey(member)) return 'mask'
  const key = json.keyText(member)
  if (REFUSED_KEYS.has(key)) return 'refuse'
  if (FIXED_KEYS.has(key)) return 'keep'
  if (key !== 'data') return 'mask'
  let at: DataShape | null = shape
  for (const inner of way.toReversed()) {
    if (at === null) return 'mask'
    at = json.hasKey(inner) ? (at.properties?.get(json.keyText(inner)) ?? at.additional) : at.items
  }
  return at?.fixed === true ? 'keep' : 'mask'
}
