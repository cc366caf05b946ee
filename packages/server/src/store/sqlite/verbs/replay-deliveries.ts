import { deliveryStatuses, triggers } from '../codes.ts'
import type { Database, Row } from '../database.ts'
import type { Store } from '../../store.ts'
import type { ReplayedDelivery } from '../../rows.ts'
import { isBeyond, type SqliteContext } from './context.ts'
import { insertBody } from './insert-body.ts'
import { placeOf, reenter } from './lanes.ts'
import { dueAt } from './pulls.ts'

type Input = Parameters<Store['replayDeliveries']>[0]
type Output = Awaited<ReturnType<Store['replayDeliveries']>>

const PENDING = deliveryStatuses.encode('pending')
const MANUAL = triggers.encode('manual')
const SELECT = `SELECT d.position, d.id, d.status, d.node, d.trigger, d.classes, d.endpoint, p.id AS endpoint_id
  FROM deliveries d JOIN endpoints p ON p.ref = d.endpoint WHERE p.deleted_at IS NULL AND d.event = ?`

export function replayDeliveries(context: SqliteContext, input: Input): Output {
  const { db } = context
  const { target, now } = input
  const event = db.prepare('SELECT erased_at FROM events WHERE position = ?').get(input.eventPosition)
  if (event !== undefined && event['erased_at'] !== null) return 'payload_gone'
  lookAgainAtAttempts(db, input.eventPosition)
  const rows = select(db, input)
  if (rows.length > 0) return reopenAllowed(context, rows, now)
  if (target.kind === 'all') return []
  if (target.kind === 'delivery') return null
  return deliverNow(context, input, target)
}

/** Where the attempts of an event have been removed there will be new ones, which nobody would come by for. */
export function lookAgainAtAttempts(db: Database, event: number): void {
  db.prepare(
    `INSERT OR IGNORE INTO retention_left
     SELECT m.what, m.mode, e.position FROM events e JOIN retention_marks m ON m.mode = e.mode
     WHERE e.position = ? AND m.what = 'attempts' AND m.position >= e.position`,
  ).run(event)
}

/** Those that may go are reopened; of several, those that may not are told as they are. */
function reopenAllowed({ db, endpointRefs }: SqliteContext, rows: Row[], now: number): Output {
  const may = (row: Row) => !isBeyond(row, endpointRefs.byRef(row['endpoint'] as number).entry)
  if (!rows.some(may)) return 'policy_changed'
  return rows.map((row) => (may(row) ? reopen(db, row, now) : describe(row)))
}

function describe(row: Row): ReplayedDelivery {
  const status = deliveryStatuses.decode(row['status'])
  return { id: row['id'] as string, endpointId: row['endpoint_id'] as string, status }
}

function select(db: Database, { target, eventPosition }: Input): Row[] {
  if (target.kind === 'all') return db.prepare(`${SELECT} ORDER BY d.position`).all(eventPosition)
  if (target.kind === 'delivery') return db.prepare(`${SELECT} AND d.id = ?`).all(eventPosition, target.deliveryId)
  return db.prepare(`${SELECT} AND p.id = ?`).all(eventPosition, target.endpointId)
}

/**
 * The same delivery goes on: attempt numbers continue, the schedule starts afresh (details 21). A suspect stays one until
 * it has an outcome: what was quarantined must not come back among the others.
 */
export function reopen(db: Database, row: Row, now: number) {
  const reopened = { id: row['id'] as string, endpointId: row['endpoint_id'] as string, status: 'pending' as const }
  if (row['status'] === PENDING) return reopened
  // An attempt that was in flight when the delivery was ended is still this delivery's: it decides how things go on.
  const inFlight = row['node'] !== null
  db.prepare(
    `UPDATE deliveries SET status = ?, reason = NULL, cycle_start = attempt_count + ?, known_outcomes = 0,
       trigger = ?, due_at = ?, crashes_alone = 0, discarded_at = NULL, note = NULL, updated_at = ?,
       watch = min(watch, 1), replays = replays + 1
     WHERE position = ?`,
  ).run(
    PENDING,
    inFlight ? 0 : 1,
    inFlight ? (row['trigger'] as number) : MANUAL,
    inFlight ? null : dueAt(db, endpointOf(db, row['position'] as number), now),
    now,
    row['position'] as number,
  )
  reenter(db, row['position'] as number)
  return reopened
}

function endpointOf(db: Database, delivery: number): number {
  return (db.prepare('SELECT endpoint FROM deliveries WHERE position = ?').get(delivery) as Row)['endpoint'] as number
}

/** An endpoint made after the event gets it only now, and only by this request (guarantee G5). */
export function deliverNow(
  { db, endpointRefs }: SqliteContext,
  { eventPosition: event, newDeliveryId: deliveryId, now }: Input,
  { endpointId, body, configVersion }: Extract<Input['target'], { kind: 'endpoint' }>,
): Output {
  if (configVersion !== undefined && configVersion !== db.configVersion()) return 'stale'
  const place = db
    .prepare(
      `SELECT e.classes, e.type, e.run, e.mode, e.tenant_id, e.deadline, p.ref FROM events e
       JOIN endpoints p ON p.id = ? AND p.mode = e.mode AND p.tenant_id IN (e.tenant_id, '*') AND p.deleted_at IS NULL
       WHERE e.position = ?`,
    )
    .get(endpointId, event) as Row | undefined
  if (place === undefined) return null
  const endpoint = place['ref'] as number
  const classes = body?.classes ?? (place['classes'] as number)
  const { entry } = endpointRefs.byRef(endpoint)
  if (isBeyond({ classes }, entry)) return 'policy_changed'
  const taken = placeOf(db, entry, place['run'] as number | null, dueAt(db, endpoint, now))
  const bytes = body?.bytes ?? null
  db.prepare(
    `INSERT INTO deliveries (id, mode, tenant_id, event, endpoint, status, attempt_count, cycle_start, trigger, due_at,
       deadline, created_at, updated_at, body, classes, watch, lane)
     VALUES (?, ?, ?, ?, ?, ?, 0, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    deliveryId,
    place['mode'] as number,
    place['tenant_id'] as string,
    event,
    endpoint,
    PENDING,
    MANUAL,
    taken.dueAt,
    place['deadline'] as number | null,
    now,
    now,
    bytes === null ? null : insertBody(db, event, bytes, classes),
    classes,
    place['type'] === 'agent.approval.requested' ? 1 : 0,
    taken.lane,
  )
  return [{ id: deliveryId, endpointId, status: 'pending' }]
}
