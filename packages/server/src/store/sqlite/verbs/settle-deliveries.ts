import { deliveryStatuses, endpointStatuses } from '../codes.ts'
import type { Database, Row } from '../database.ts'

export interface Settled {
  /** Something still waits, is in flight, or is to be told of. */
  needed: boolean
  /** How many deliveries the event has. */
  deliveries: number
}

const PENDING = deliveryStatuses.encode('pending')
const EXPIRED = deliveryStatuses.encode('expired')
const DELIVERED = deliveryStatuses.encode('delivered')
const PAUSED = endpointStatuses.encode('paused')

/**
 * Tells whether the deliveries of an event are done with it. With `endHeld` those that a paused endpoint holds end now: held
 * longer than their event is kept (details 15). With `seenAfter` an event is needed while one of them ended like that later than this.
 */
export function settleDeliveries(
  db: Database,
  event: number,
  { now, endHeld, seenAfter }: { now: number; endHeld: boolean; seenAfter: number | null },
): Settled {
  const rows = db
    .prepare(
      `SELECT d.position, d.status, d.reason, d.updated_at, d.due_at, d.node, d.watch, p.status AS endpoint_status
       FROM deliveries d JOIN endpoints p ON p.ref = d.endpoint WHERE d.event = ?`,
    )
    .all(event) as Row[]
  let needed = false
  for (const row of rows) {
    const pending = row['status'] === PENDING
    if (pending && endHeld && row['due_at'] !== null && row['endpoint_status'] === PAUSED) {
      expire(db, row['position'] as number, now)
      // Whoever asked for an approval has yet to hear of it, and anybody is to see how it ended.
      needed ||= row['watch'] === 1 || seenAfter !== null
    } else {
      needed ||= wasEndedSince(row, seenAfter)
      needed ||= pending || row['node'] !== null || (row['watch'] === 1 && row['status'] !== DELIVERED)
    }
  }
  return { needed, deliveries: rows.length }
}

function wasEndedSince(row: Row, seenAfter: number | null): boolean {
  return seenAfter !== null && row['reason'] === 'held_past_retention' && (row['updated_at'] as number) > seenAfter
}

function expire(db: Database, delivery: number, now: number): void {
  db.prepare(
    `UPDATE deliveries SET status = ?, reason = 'held_past_retention', due_at = NULL, updated_at = ? WHERE position = ?`,
  ).run(EXPIRED, now, delivery)
}
