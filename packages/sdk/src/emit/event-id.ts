import { ID_PREFIXES, idPrefix, typeIdSuffix, type IdKind, type Mode } from '../contract/index.ts'
import { base64url } from './base64url.ts'
import { sha256 } from './sha-256.ts'

/**
 * A new event id: `evt_` (`evt_test_` in test mode) and a TypeID suffix over a UUIDv7 (RFC 9562, section 5.7), so that
 * ids are ordered by time. Made once per event by its producer, so that a retry is recognised as a duplicate.
 * @param now milliseconds since 1970
 */
export function newEventId(mode: Mode, now: number): string {
  return idPrefix('event', mode) + newSuffix(now)
}

/** What a producer has ids of that Runbell makes none of. */
const PRODUCER_PREFIXES = {
  toolCall: 'call',
  approval: 'apr',
  message: 'msg',
  artifact: 'art',
  escalation: 'esc',
} as const

/** A new id of a run or of what happens in one, for producers whose framework brings none. */
export function newProducerId(
  kind: keyof typeof PRODUCER_PREFIXES | (IdKind & 'run'),
  mode: Mode,
  now: number,
): string {
  const prefix = kind === 'run' ? ID_PREFIXES.run : PRODUCER_PREFIXES[kind]
  return `${prefix}_${mode === 'test' ? 'test_' : ''}${newSuffix(now)}`
}

/** A fact that can be true only once: which one it is. */
export interface OnceOnlyFact {
  type: string
  run_id: string
  /** The tool call, approval, message, … it is about. @default none: it is about the run */
  child_id?: string
  /** Tells apart what may happen again to the same child, such as the attempt of a tool call. @default 0 */
  n?: number
}

/**
 * The id of a once-only fact: the same wherever and however often the fact is told, so that a callback that comes twice and
 * a process that was started again publish it once. SHA-256 over the JSON array of run, type, child and n: joined by a sign
 * that can stand in an id, two facts could have one id.
 */
export function onceEventId(mode: Mode, { type, run_id: runId, child_id: childId = '', n = 0 }: OnceOnlyFact): string {
  const digest = sha256(new TextEncoder().encode(JSON.stringify([runId, type, childId, n])))
  return `${idPrefix('event', mode)}once_${base64url(digest)}`
}

function newSuffix(now: number): string {
  const uuid = crypto.getRandomValues(new Uint8Array(16))
  let time = now
  // 48 bits of milliseconds; not by shifts, which stop at 32.
  for (let index = 5; index >= 0; index--) {
    uuid[index] = time % 256
    time = Math.floor(time / 256)
  }
  uuid[6] = ((uuid[6] as number) & 0x0f) | 0x70
  uuid[8] = ((uuid[8] as number) & 0x3f) | 0x80
  return typeIdSuffix(uuid)
}
