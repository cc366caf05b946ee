import type { DeliveryReason } from '@runbell/sdk/contract'
import { deliveryStatuses, endpointKinds, endpointStatuses } from '../../codes.ts'
import type { Row, Session } from '../session.ts'
import { expireBehind } from './lanes.ts'

const PENDING = deliveryStatuses.encode('pending')
const EXPIRED = deliveryStatuses.encode('expired')
const DELIVERED = deliveryStatuses.encode('delivered')
const PULL = endpointKinds.encode('pull')
const PAUSED = endpointStatuses.encode('paused')

interface Rule {
  now: number
  /** Those that a paused endpoint holds end now: held longer than their event is kept (details 15). */
  endHeld: boolean
  /** An event is needed while one of them ended like that later than this. */
  seenAfter: number | null
}

/**
 * Tells which of the events, whose rows are held, are still needed: a delivery waits, is in flight, or is to be told of. Nothing but
 * a replay makes one needed again, and that waits for the event's row.
 */
export async function settleDeliveries(db: Session, events: readonly number[], rule: Rule): Promise<Set<number>> {
  const rows = await db.rows(
    `SELECT d.position, d.event, d.status, d.reason, d.updated_at, d.watch, q.due_at, q.node, p.status AS endpoint_status,
       p.kind AS endpoint_kind
     FROM deliveries d JOIN endpoints p ON p.ref = d.endpoint LEFT JOIN queue q ON q.delivery = d.position
     WHERE d.event = ANY($1)`,
    events,
  )
  if (rule.endHeld) await expireBehind(db, events, rule.now)
  const waiting = rule.endHeld ? rows.filter((row) => row['status'] === PENDING && row['due_at'] !== null) : []
  const expired = new Set<number>()
  for (const reason of ['not_pulled', 'held_past_retention'] as const) {
    const held = waiting.filter((row) => reasonToEnd(row) === reason)
    for (const position of await expire(db, held, reason, rule.now)) expired.add(position)
  }
  const needed = new Set<number>()
  for (const row of rows) {
    // Whoever asked for an approval has yet to hear of it, and anybody is to see how it ended.
    const isNeeded = expired.has(row['position'] as number)
      ? row['watch'] === 1 || rule.seenAfter !== null
      : isOpen(row) || wasEndedSince(row, rule.seenAfter)
    if (isNeeded) needed.add(row['event'] as number)
  }
  return needed
}

/** `null`: somebody may still send it. */
function reasonToEnd(row: Row): DeliveryReason | null {
  if (row['endpoint_kind'] === PULL) return 'not_pulled'
  return row['endpoint_status'] === PAUSED ? 'held_past_retention' : null
}

function isOpen(row: Row): boolean {
  return row['status'] === PENDING || row['node'] !== null || (row['watch'] === 1 && row['status'] !== DELIVERED)
}

function wasEndedSince(row: Row, seenAfter: number | null): boolean {
  const isOurs = row['reason'] === 'held_past_retention' || row['reason'] === 'not_pulled'
  return seenAfter !== null && isOurs && (row['updated_at'] as number) > seenAfter
}

/** Ends those that still wait. */
async function expire(db: Session, held: readonly Row[], reason: DeliveryReason, now: number): Promise<number[]> {
  if (held.length === 0) return []
  const rows = await db.rows(
    `WITH gone AS (
       DELETE FROM queue WHERE due_at IS NOT NULL AND delivery IN (
         SELECT delivery FROM queue WHERE delivery = ANY($1) ORDER BY delivery FOR UPDATE)
       RETURNING delivery)
     UPDATE deliveries SET status = $2, reason = $3, updated_at = $4 FROM gone
     WHERE position = gone.delivery RETURNING position`,
    ...[held.map(({ position }) => position as number), EXPIRED, reason, now],
  )
  return rows.map(({ position }) => position as number)
}
