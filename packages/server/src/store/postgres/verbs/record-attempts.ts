import type { DeliveryReason, DeliveryStatus } from '@runbell/sdk/contract'
import { deliveryStatuses, outcomes, triggers } from '../../codes.ts'
import type { AttemptRecord, ClaimRef, RecordResult } from '../../rows.ts'
import type { Store } from '../../store.ts'
import type { Session } from '../session.ts'
import { applyEffects } from './endpoint-effects.ts'
import { readGround, type PostgresContext } from './context.ts'
import { isBeyond, requireEndpoint } from './endpoint-ref.ts'
import { PackedBytes } from './packed-bytes.ts'

type Input = Parameters<Store['recordAttempts']>[0]
type Output = Awaited<ReturnType<Store['recordAttempts']>>

const PENDING = deliveryStatuses.encode('pending')
/** How a delivery may have been ended while its attempt was in flight. */
const ENDED_IN_FLIGHT = [deliveryStatuses.encode('cancelled'), deliveryStatuses.encode('expired')]

/** What becomes of a delivery that is still pending. */
interface Next {
  status: number
  reason: DeliveryReason | null
  dueAt: number | null
}

export async function recordAttempts(context: PostgresContext, { nodeId, now, records }: Input): Promise<Output> {
  const { db } = context
  const { node, configVersion } = await readGround(db, nodeId)
  if (node === null || records.length === 0) return { results: records.map(() => 'stale'), configVersion }
  const mayRetry = await retriesAllowed(context, configVersion, records)
  // In one order for everybody, and each once: who comes second for the same attempt is stale.
  const ordered = firstOfEach(records).toSorted((a, b) => a.position - b.position)
  const nexts = ordered.map((record) => nextOf(record, mayRetry))
  const recorded = await write(db, { node: node.ref, now, records: ordered, nexts })
  const effects = ordered.flatMap((record) => {
    const endpoint = recorded.get(record)
    return endpoint === undefined || record.endpointEffect === null ? [] : [{ endpoint, effect: record.endpointEffect }]
  })
  const bumped = await applyEffects(db, effects, now)
  // Given twice, the second one is stale.
  const fresh = new Set(recorded.keys())
  const results = records.map((record): RecordResult => (fresh.delete(record) ? 'recorded' : 'stale'))
  return { results, configVersion: bumped ?? configVersion }
}

function firstOfEach(records: readonly AttemptRecord[]): AttemptRecord[] {
  return [...new Map(records.toReversed().map((record) => [attemptKey(record), record])).values()]
}

function attemptKey({ position, number }: ClaimRef): string {
  return `${position} ${number}`
}

/** What a delivery that is to be tried again would be `cancelled` for instead; nothing for those that may be tried. */
async function retriesAllowed(
  context: PostgresContext,
  configVersion: number,
  records: readonly AttemptRecord[],
): Promise<ReadonlyMap<number, DeliveryReason>> {
  const retried = records.filter(({ verdict }) => verdict.kind === 'retry').map(({ position }) => position)
  if (retried.length === 0) return new Map()
  const rows = await context.db.rows('SELECT delivery, endpoint, classes FROM queue WHERE delivery = ANY($1)', retried)
  const refs = rows.map(({ endpoint }) => endpoint as number)
  const endpoints = await context.endpoints.byRef(context.db, configVersion, refs)
  return new Map(
    rows.flatMap((row): [number, DeliveryReason][] => {
      const endpoint = requireEndpoint(endpoints, row['endpoint'])
      const delivery = row['delivery'] as number
      if (endpoint.deleted) return [[delivery, 'endpoint_deleted']]
      // Its grants were narrowed while the attempt was in flight.
      return isBeyond(row, endpoint) ? [[delivery, 'policy_changed']] : []
    }),
  )
}

function nextOf({ position, verdict }: AttemptRecord, refused: ReadonlyMap<number, DeliveryReason>): Next {
  const ended = (status: DeliveryStatus, reason: DeliveryReason | null): Next => {
    return { status: deliveryStatuses.encode(status), reason, dueAt: null }
  }
  if (verdict.kind === 'delivered') return ended('delivered', null)
  if (verdict.kind === 'dead_letter') return ended('dead_lettered', verdict.reason)
  const reason = refused.get(position)
  return reason === undefined ? { status: PENDING, reason: null, dueAt: verdict.at } : ended('cancelled', reason)
}

interface Written {
  node: number
  now: number
  records: readonly AttemptRecord[]
  nexts: readonly Next[]
}

/**
 * Outcome, attempt and what follows, in one statement. Returns those that were still the node's, each with its endpoint.
 *
 * A row of `queue` goes, and comes back where the delivery waits again: so the row is held before that of `deliveries`, as
 * everywhere. One that was ended in flight stays ended; if its event was erased, nothing of an answer is kept that may echo it.
 */
async function write(db: Session, { node, now, records, nexts }: Written): Promise<ReadonlyMap<AttemptRecord, number>> {
  const excerpts = new PackedBytes()
  const rows = await db.rows(
    `WITH given AS (
       SELECT * FROM unnest($3::bigint[], $4::integer[], $5::smallint[], $6::text[], $7::bigint[], $8::smallint[])
         AS g (delivery, number, status, reason, due_at, outcome)),
     held AS (
       DELETE FROM queue USING given, deliveries d
       WHERE queue.delivery = given.delivery AND queue.node = $1 AND d.position = given.delivery
         AND d.attempt_count = given.number
       RETURNING queue.*, given.number, given.status AS next_status, given.reason AS next_reason, given.due_at AS next_due, given.outcome),
     ended AS (
       UPDATE deliveries d SET status = CASE WHEN d.status = ${PENDING} THEN held.next_status ELSE d.status END,
         reason = CASE WHEN d.status = ${PENDING} THEN held.next_reason ELSE d.reason END,
         known_outcomes = known_outcomes + 1, suspect = FALSE, crashes_alone = 0, last_outcome = held.outcome, updated_at = $2
       FROM held WHERE d.position = held.delivery
       RETURNING d.position, d.event, d.status, held.*),
     again AS (
       INSERT INTO queue (delivery, endpoint, mode, tenant_id, classes, deadline, due_at, lane)
       SELECT position, endpoint, mode, tenant_id, classes, deadline, next_due, lane FROM ended WHERE status = ${PENDING}),
     attempted AS (
       INSERT INTO attempts (delivery, number, trigger, started_at, duration_ms, outcome, status_code, request_headers,
         response_headers, excerpt, truncated, phases)
       SELECT a.delivery, a.number, a.trigger, a.started_at, a.duration_ms, a.outcome, a.status_code, a.request_headers,
         CASE WHEN kept.nothing THEN '{}' ELSE a.response_headers END,
         CASE WHEN kept.nothing THEN NULL ELSE substring($19::bytea FROM a.excerpt_at FOR a.excerpt_length) END,
         a.truncated, a.phases
       FROM unnest($3::bigint[], $4::integer[], $9::smallint[], $10::bigint[], $11::float8[], $8::smallint[], $12::integer[],
         $13::text[], $14::text[], $15::integer[], $16::integer[], $17::boolean[], $18::text[])
         AS a (delivery, number, trigger, started_at, duration_ms, outcome, status_code, request_headers, response_headers,
           excerpt_at, excerpt_length, truncated, phases)
       JOIN ended ON ended.position = a.delivery, LATERAL (
         SELECT ended.status IN (${ENDED_IN_FLIGHT.join(', ')})
           AND EXISTS (SELECT 1 FROM events WHERE position = ended.event AND erased_at IS NOT NULL) AS nothing) AS kept)
     SELECT position, number, endpoint FROM ended`,
    node,
    now,
    records.map(({ position }) => position),
    records.map(({ number }) => number),
    nexts.map(({ status }) => status),
    nexts.map(({ reason }) => reason),
    nexts.map(({ dueAt }) => dueAt),
    records.map(({ outcome }) => outcomes.encode(outcome)),
    records.map(({ trigger }) => triggers.encode(trigger)),
    records.map(({ startedAt }) => startedAt),
    records.map(({ durationMs }) => durationMs),
    records.map(({ statusCode }) => statusCode),
    records.map(({ requestHeaders }) => JSON.stringify(requestHeaders)),
    records.map(({ responseHeaders }) => JSON.stringify(responseHeaders)),
    records.map(({ excerpt }) => (excerpt === null ? null : excerpts.add(excerpt))),
    records.map(({ excerpt }) => excerpt?.length ?? null),
    records.map(({ truncated }) => truncated),
    records.map(({ phases }) => JSON.stringify(phases)),
    excerpts.bytes,
  )
  const endpoints = new Map(rows.map((row) => [attemptKey(row as unknown as ClaimRef), row['endpoint']]))
  return new Map(
    records.flatMap((record) => {
      const endpoint = endpoints.get(attemptKey(record))
      return endpoint === undefined ? [] : [[record, endpoint as number]]
    }),
  )
}
