import { createHash } from 'node:crypto'
import { deliveryStatuses, triggers } from '../../codes.ts'
import type { GivenBody, ReplayedDelivery } from '../../rows.ts'
import type { Store } from '../../store.ts'
import { NO_TURN } from '../../turns.ts'
import type { Row, Session, SqlValue } from '../session.ts'
import { takePositions, type PostgresContext } from './context.ts'
import { endpointsByRef, isBeyond, requireEndpoint } from './endpoint-ref.ts'
import { placesOfEnded, placesOfNew } from './lanes.ts'
import { placeLast } from './pulls.ts'

type Input = Parameters<Store['replayDeliveries']>[0]
type Output = Awaited<ReturnType<Store['replayDeliveries']>>

const PENDING = deliveryStatuses.encode('pending')
const MANUAL = triggers.encode('manual')

/** Everything that would undo what is read here, another replay included, waits for the event's row. */
export async function replayDeliveries(context: PostgresContext, input: Input): Promise<Output> {
  const { db } = context
  const { target, now } = input
  const sql = 'SELECT erased_at FROM events WHERE position = $1 FOR NO KEY UPDATE'
  const event = await db.row(sql, input.eventPosition)
  if (event !== undefined && event['erased_at'] !== null) return 'payload_gone'
  await lookAgainAtAttempts(db, [input.eventPosition])
  const rows = await select(db, input)
  if (rows.length > 0) return reopenAllowed(context, rows, now)
  if (target.kind === 'all') return []
  if (target.kind === 'delivery') return null
  return deliverNow(context, input, target)
}

/** Where the attempts of events have been removed there will be new ones, which nobody would come by for. */
export async function lookAgainAtAttempts(db: Session, events: readonly number[]): Promise<void> {
  if (events.length === 0) return
  await db.run(
    `INSERT INTO retention_left
     SELECT m.what, m.mode, e.position FROM events e JOIN retention_marks m ON m.mode = e.mode
     WHERE e.position = ANY($1) AND m.what = 'attempts' AND m.position >= e.position ON CONFLICT DO NOTHING`,
    events,
  )
}

async function select(db: Session, { target, eventPosition }: Input): Promise<Row[]> {
  const values: SqlValue[] = [eventPosition]
  let which = ''
  if (target.kind !== 'all') {
    const id = target.kind === 'delivery' ? target.deliveryId : target.endpointId
    // TEXT refuses NUL: nothing has such an id.
    if (id.includes('\0')) return []
    values.push(id)
    which = target.kind === 'delivery' ? 'AND d.id = $2' : 'AND p.id = $2'
  }
  const from = `deliveries d JOIN endpoints p ON p.ref = d.endpoint WHERE p.deleted_at IS NULL AND d.event = $1 ${which}`
  // An outcome that is being recorded at this moment comes first.
  await db.rows(
    `SELECT 1 FROM queue WHERE delivery IN (SELECT d.position FROM ${from}) ORDER BY delivery FOR UPDATE`,
    ...values,
  )
  return db.rows(
    `SELECT d.position, d.id, d.status, d.classes, d.endpoint, p.id AS endpoint_id FROM ${from} ORDER BY d.position`,
    ...values,
  )
}

/** Those that may go are reopened; of several, those that may not are told as they are. */
async function reopenAllowed(context: PostgresContext, rows: Row[], now: number): Promise<Output> {
  const endpoints = await endpointsByRef(
    context.db,
    rows.map((row) => row['endpoint'] as number),
  )
  const may = new Set(rows.filter((row) => !isBeyond(row, requireEndpoint(endpoints, row['endpoint']))))
  if (may.size === 0) return 'policy_changed'
  const ended = [...may].filter((row) => row['status'] !== PENDING)
  await reopen(
    context,
    ended.map((row) => row['position'] as number),
    now,
  )
  return rows.map((row): ReplayedDelivery => ({
    id: row['id'] as string,
    endpointId: row['endpoint_id'] as string,
    status: may.has(row) ? 'pending' : deliveryStatuses.decode(row['status']),
  }))
}

/**
 * The same deliveries go on: attempt numbers continue, the schedule starts afresh (details 21). A suspect stays one until
 * it has an outcome: what was quarantined must not come back among the others. An attempt that was in flight when the delivery
 * was ended is still this delivery's: it decides how things go on.
 */
export async function reopen(context: PostgresContext, deliveries: readonly number[], now: number): Promise<void> {
  if (deliveries.length === 0) return
  const { db } = context
  const reopened = await placesOfEnded(db, deliveries, now)
  await db.run(
    `UPDATE deliveries SET status = $2, reason = NULL, known_outcomes = 0, crashes_alone = 0, discarded_at = NULL, note = NULL,
       cycle_start = attempt_count + CASE WHEN EXISTS (SELECT 1 FROM queue WHERE delivery = position) THEN 0 ELSE 1 END,
       watch = least(watch, 1), replays = replays + 1, updated_at = $3
     WHERE position = ANY($1)`,
    ...[deliveries, PENDING, now],
  )
  await db.run(
    `INSERT INTO queue (delivery, endpoint, mode, tenant_id, classes, deadline, due_at, trigger, suspect, lane)
     SELECT position, endpoint, mode, tenant_id, classes, deadline, CASE WHEN r.waits THEN ${NO_TURN} ELSE $4::bigint END, $5,
       suspect, r.lane
     FROM unnest($1::bigint[], $2::bigint[], $3::boolean[]) AS r (delivery, lane, waits) JOIN deliveries ON position = r.delivery
     ON CONFLICT (delivery) DO UPDATE SET crashes_alone = 0`,
    deliveries,
    reopened.map(({ lane }) => lane),
    reopened.map(({ waits }) => waits),
    ...[now, MANUAL],
  )
  await placeLast(context, deliveries)
}

/** An endpoint made after the event gets it only now, and only by this request (guarantee G5). */
async function deliverNow(
  context: PostgresContext,
  { eventPosition: event, newDeliveryId: deliveryId, now }: Input,
  { endpointId, body, configVersion }: Extract<Input['target'], { kind: 'endpoint' }>,
): Promise<Output> {
  const { db } = context
  if (configVersion !== undefined && configVersion !== (await db.configVersion())) return 'stale'
  if (endpointId.includes('\0')) return null
  const place = await db.row(
    `SELECT e.classes, p.ref FROM events e
     JOIN endpoints p ON p.id = $1 AND p.mode = e.mode AND p.tenant_id IN (e.tenant_id, '*') AND p.deleted_at IS NULL
     WHERE e.position = $2`,
    ...[endpointId, event],
  )
  if (place === undefined) return null
  const endpoint = place['ref'] as number
  const classes = body?.classes ?? (place['classes'] as number)
  if (isBeyond({ classes }, requireEndpoint(await endpointsByRef(db, [endpoint]), endpoint))) return 'policy_changed'
  const given = body ?? { bytes: null, classes }
  await insertDeliveries(context, endpoint, [{ event, deliveryId, body: given }], now)
  return [{ id: deliveryId, endpointId, status: 'pending' }]
}

interface NewDelivery {
  event: number
  deliveryId: string
  body: GivenBody
}

/** New deliveries to one endpoint that are due now. Returns their positions, in the same order; they are held until the commit. */
export async function insertDeliveries(
  context: PostgresContext,
  endpoint: number,
  made: readonly NewDelivery[],
  now: number,
): Promise<number[]> {
  if (made.length === 0) return []
  const { db } = context
  const places = await placesOfNew(
    db,
    endpoint,
    made.map(({ event }) => event),
  )
  const bodies = await keepBodies(db, made)
  const first = await takePositions(context, made.length)
  const positions = made.map((_, index) => first + index)
  await db.run(
    `INSERT INTO deliveries (position, id, mode, tenant_id, event, endpoint, body, classes, deadline, status, attempt_count,
       cycle_start, created_at, updated_at, watch)
     SELECT n.position, n.id, e.mode, e.tenant_id, e.position, $1, n.body, n.classes, e.deadline, $2, 0, 1, $3, $3,
       CASE WHEN e.type = 'agent.approval.requested' THEN 1 ELSE 0 END
     FROM unnest($4::bigint[], $5::text[], $6::bigint[], $7::bigint[], $8::integer[]) AS n (position, id, event, body, classes)
     JOIN events e ON e.position = n.event`,
    ...[endpoint, PENDING, now, positions, made.map(({ deliveryId }) => deliveryId)],
    ...[made.map(({ event }) => event), bodies, made.map(({ body }) => body.classes)],
  )
  await db.run(
    `INSERT INTO queue (delivery, endpoint, mode, tenant_id, classes, deadline, due_at, trigger, lane)
     SELECT position, endpoint, mode, tenant_id, classes, deadline, CASE WHEN n.waits THEN ${NO_TURN} ELSE $2::bigint END, $3, n.lane
     FROM unnest($1::bigint[], $4::bigint[], $5::boolean[]) AS n (delivery, lane, waits) JOIN deliveries ON position = n.delivery`,
    ...[positions, now, MANUAL, places.map(({ lane }) => lane), places.map(({ waits }) => waits)],
  )
  await placeLast(context, positions)
  return positions
}

/** `null`: the uncut one. */
async function keepBodies(db: Session, made: readonly NewDelivery[]): Promise<(number | null)[]> {
  const refs: (number | null)[] = []
  for (const { event, body } of made) refs.push(await keepBody(db, event, body))
  return refs
}

async function keepBody(db: Session, event: number, { bytes, classes }: GivenBody): Promise<number | null> {
  if (bytes === null) return null
  const sha256 = new Uint8Array(createHash('sha256').update(bytes).digest())
  const row = await db.row(
    'INSERT INTO bodies (event, body, sha256, classes) VALUES ($1, $2, $3, $4) RETURNING ref',
    ...[event, bytes, sha256, classes],
  )
  return row?.['ref'] as number
}
