import { deliveryStatuses, triggers } from '../codes.ts'
import type { Database, Row } from '../database.ts'
import type { Store } from '../../store.ts'
import type { SqliteContext } from './context.ts'

type Input = Parameters<Store['replayDeliveries']>[0]
type Output = Awaited<ReturnType<Store['replayDeliveries']>>

const PENDING = deliveryStatuses.encode('pending')
const MANUAL = triggers.encode('manual')
const SELECT = `SELECT d.position, d.id, d.status, d.node, p.id AS endpoint_id
  FROM deliveries d JOIN endpoints p ON p.ref = d.endpoint WHERE p.deleted_at IS NULL AND d.event = ?`

export function replayDeliveries({ db }: SqliteContext, input: Input): Output {
  const { target, eventPosition, now } = input
  const rows = select(db, input)
  if (rows.length > 0) return rows.map((row) => reopen(db, row, now))
  if (target.kind === 'all') return []
  if (target.kind === 'delivery') return null
  return deliverNow(db, eventPosition, target.endpointId, input.newDeliveryId, now)
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
function reopen(db: Database, row: Row, now: number) {
  const reopened = { id: row['id'] as string, endpointId: row['endpoint_id'] as string, status: 'pending' as const }
  if (row['status'] === PENDING) return reopened
  // An attempt that was in flight when the delivery was ended is still this delivery's: it decides how things go on.
  const inFlight = row['node'] !== null
  db.prepare(
    `UPDATE deliveries SET status = ?, reason = NULL, cycle_start = attempt_count + ?, known_outcomes = 0,
       trigger = ?, due_at = ?, crashes_alone = 0, discarded_at = NULL, note = NULL, updated_at = ?
     WHERE position = ?`,
  ).run(PENDING, inFlight ? 0 : 1, MANUAL, inFlight ? null : now, now, row['position'] as number)
  return reopened
}

/** An endpoint made after the event gets it only now, and only by this request (guarantee G5). */
function deliverNow(db: Database, event: number, endpointId: string, deliveryId: string, now: number): Output {
  const made = db
    .prepare(
      `INSERT INTO deliveries (id, mode, tenant_id, event, endpoint, status, attempt_count, cycle_start, trigger, due_at,
         deadline, created_at, updated_at)
       SELECT ?, e.mode, e.tenant_id, e.position, p.ref, ?, 0, 1, ?, ?, e.deadline, ?, ?
       FROM events e JOIN endpoints p ON p.id = ? AND p.mode = e.mode AND p.tenant_id IN (e.tenant_id, '*')
       WHERE e.position = ? AND p.deleted_at IS NULL`,
    )
    .run(deliveryId, PENDING, MANUAL, now, now, now, endpointId, event)
  return made.changes === 0 ? null : [{ id: deliveryId, endpointId, status: 'pending' }]
}
