import { EVENT_ID_PATTERN, type Accepted, type Warning } from '@runbell/sdk/contract'
import { checkEvent } from '../../core/check-event.ts'
import type { CheckedEvent, Refusal } from '../../core/checked-event.ts'
import type { BodySource } from '../../core/event-bodies.ts'
import type { JsonIndex } from '../../core/json-index.ts'
import { scanJson } from '../../core/json-scan.ts'
import { decodeUtf8 } from '../../core/json-utf8.ts'
import { newId } from '../../core/new-id.ts'
import type { Acceptance } from '../../accept/acceptor.ts'
import type { Limited } from '../../accept/tenant-gate.ts'
import type { ApiContext } from '../context.ts'
import { refusalOfError } from '../http/failure.ts'
import { tooLarge } from '../http/content-type.ts'
import { refusalOfJson } from '../http/json-refusal.ts'
import type { PublishCall } from './publish-call.ts'
import { trimSpace } from './spans.ts'

export type CheckedItem =
  | {
      ok: true
      event: CheckedEvent
      bodies: BodySource
      warnings: Warning[]
      fingerprint: Uint8Array
      sentId: string | null
    }
  | { ok: false; eventId: string | null; refusal: Refusal }

/** What became of an event; a refusal is a value, also where the store could not answer. */
export type Published =
  | { ok: true; accepted: Accepted }
  | { ok: false; eventId: string | null; refusal: Refusal; retryAfterMs?: number }

/** Where the native decoder's call pays for itself. */
const NATIVE_FROM = 64

function decode(bytes: Uint8Array, start: number, end: number): string {
  if (end - start < NATIVE_FROM) return decodeUtf8(bytes, start, end)
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')
}

/**
 * Checks everything that can be checked without the store.
 * @param received the event's own bytes
 * @param idempotencyKey of the `Idempotency-Key` header
 */
function checkItem(call: PublishCall, received: Uint8Array, idempotencyKey: string | null): CheckedItem {
  const { principal } = call
  const { limits, clock, random, catalogs, publicUrl } = call.context
  const bytes = trimSpace(received)
  if (bytes.length > limits.eventBytes)
    return { ok: false, eventId: null, refusal: tooLarge(limits.eventBytes).refusal }
  const scan = scanJson(bytes, { decode })
  if (!scan.ok) return { ok: false, eventId: null, refusal: refusalOfJson(scan.error) }
  const now = clock.now()
  const check = checkEvent(scan.json, {
    mode: principal.mode,
    keyTenantId: principal.tenantId,
    now,
    warnBytes: limits.warnBytes,
    idempotencyKey,
    newEventId: () => newId('event', principal.mode, now, random),
    catalog: catalogs.of(principal.mode),
    publicUrl,
    decode,
  })
  const sentId = sentEventId(scan.json)
  if (!check.ok) return { ok: false, eventId: sentId, refusal: check.refusal }
  const { event, warnings, bodies } = check
  return { ok: true, event, bodies, warnings, fingerprint: call.fingerprint(bytes), sentId }
}

/**
 * The same, where a type or version that is not known here is looked for in the store before it is refused: another node
 * may have registered it just now. A promise only where it comes to that.
 */
export function checkItemAfresh(
  call: PublishCall,
  received: Uint8Array,
  idempotencyKey: string | null,
): CheckedItem | Promise<CheckedItem> {
  const first = checkItem(call, received, idempotencyKey)
  if (first.ok || !isOfUnknownType(first.refusal)) return first
  const looked = call.context.catalogs.lookAgain(call.principal.mode)
  return looked.then((again) => (again ? checkItem(call, received, idempotencyKey) : first))
}

function isOfUnknownType({ code, errors }: Refusal): boolean {
  return code === 'unknown_event_type' || errors.some(({ path }) => path === '/schema_version')
}

/** The producer's own id for the event, where there is one that can be an event's id: for answers about a refused one. */
function sentEventId(json: JsonIndex): string | null {
  const member = json.member(json.root, 'event_id')
  if (member === -1 || json.kind(member) !== 'string') return null
  const text = json.text(member)
  return EVENT_ID_PATTERN.test(text) ? text : null
}

/** Stores a checked event; never rejects. */
export async function acceptItem(
  context: ApiContext,
  item: Extract<CheckedItem, { ok: true }>,
  requestId: string,
): Promise<Published> {
  const { event, bodies } = item
  try {
    const taken = await context.acceptor.accept(event, item.fingerprint, bodies)
    if (taken.kind === 'conflict') return { ok: false, eventId: taken.eventId, refusal: conflict(event) }
    if (taken.kind === 'limited') return limited(taken, item.sentId)
    if (taken.kind === 'refused') return { ok: false, eventId: item.sentId, refusal: refusedInRun(taken) }
    if (event.lifecycle?.child?.kind === 'approval') context.approvalWaits.poke()
    const { eventId: event_id, sequence, deliveries, kind } = taken
    const warnings = [...item.warnings, ...taken.warnings]
    return { ok: true, accepted: { event_id, sequence, duplicate: kind === 'duplicate', deliveries, warnings } }
  } catch (error) {
    return { ok: false, eventId: item.sentId, refusal: refusalOfError(error, context.log, requestId) }
  }
}

function conflict(event: CheckedEvent): Refusal {
  const [path, what] =
    event.idempotencyKey === null ? ['/event_id', 'event_id'] : ['/idempotency_key', 'idempotency key']
  const message = `an event with this ${what} and other bytes was accepted before`
  return {
    code: 'event_conflict',
    detail: `${path}: ${message}.`,
    errors: [{ path, message }],
    fix: 'To repeat an event send exactly the same bytes; for a new fact use a new id.',
  }
}

function limited({ code, message, retryAfterMs }: Limited, eventId: string | null): Published {
  const fix = LIMIT_FIXES[code]
  return { ok: false, eventId, refusal: { code, detail: `${sentence(message)}.`, errors: [], fix }, retryAfterMs }
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}

const LIMIT_FIXES: Readonly<Record<Limited['code'], string>> = {
  rate_limited:
    'Send the same bytes again later, as the header Retry-After says, or have the rate of the tenant raised.',
  quota_exceeded:
    'Look for endpoints that fail or are paused; the same bytes are accepted when deliveries have ended, or with a higher quota.',
}

type Refused = Extract<Acceptance, { kind: 'refused' }>

export function refusedInRun({ code, message }: Refused): Refusal {
  const path = code === 'run_event_budget_exceeded' ? '/run_id' : '/type'
  return { code, detail: `${message}.`, errors: [{ path, message }], fix: FIXES[code] }
}

const FIXES: Readonly<Record<Refused['code'], string>> = {
  run_already_ended: 'A run ends once. If it goes on all the same, publish what it does under a new run_id.',
  run_event_budget_exceeded:
    'Look whether the agent is in a loop; a run that needs more events needs a higher RUNBELL_LIMIT_RUN_EVENTS.',
  approval_already_decided: 'An approval is decided once: ask again under a new approval_id.',
  state_conflict: 'Publish the events of a run in order, or let the type warn instead of reject.',
}
