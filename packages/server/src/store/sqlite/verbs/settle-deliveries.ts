import type { DeliveryReason } from '@runbell/sdk/contract'
import { deliveryStatuses, endpointKinds, endpointStatuses } from '../codes.ts'
import { expireBehind } from './lanes.ts'
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
const PULL = endpointKinds.encode('pull')
const PAUSED = endpointStatuses.encode('paused')

/**
 * Tells whether the deliveries of an event are done with it. With `endHeld` those end now that a paused endpoint holds, or nobody has
 * fetched, for longer than their event is kept (details 15, 18). With `seenAfter` an event is needed while one of them ended like that later than this.
 */
export function settleDeliveries(
  db: Database,
  event: number,
  { now, endHeld, seenAfter }: { now: number; endHeld: boolean; seenAfter: number | null },
): Settled {
  const rows = db
    .prepare(
      `SELECT d.position, d.status, d.reason, d.updated_at, d.due_at, d.node, d.watch, d.endpoint, d.lane, p.status AS endpoint_status,
         p.kind AS endpoint_kind
       FROM deliveries d JOIN endpoints p ON p.ref = d.endpoint WHERE d.event = ?`,
    )
    .all(event) as Row[]
  let needed = false
  for (const row of rows) {
    const pending = row['status'] === PENDING
    if (endHeld && !pending && row['lane'] !== null) {
      expireBehind(db, { endpoint: row['endpoint'] as number, lane: row['lane'] as number, now })
    }
    const reason = pending && endHeld && row['due_at'] !== null ? reasonToEnd(row) : null
    if (reason !== null) {
      expire(db, row['position'] as number, reason, now)
      // Whoever asked for an approval has yet to hear of it, and anybody is to see how it ended.
      needed ||= row['watch'] === 1 || seenAfter !== null
    } else {
      needed ||= wasEndedSince(row, seenAfter)
      needed ||= pending || row['node'] !== null || (row['watch'] === 1 && row['status'] !== DELIVERED)
    }
  }
  return { needed, deliveries: rows.length }
}

/** `null`: somebody may still send it. */
function reasonToEnd(row: Row): DeliveryReason | null {
  if (row['endpoint_kind'] === PULL) return 'not_pulled'
  return row['endpoint_status'] === PAUSED ? 'held_past_retention' : null
}

function wasEndedSince(row: Row, seenAfter: number | null): boolean {
  const isOurs = row['reason'] === 'held_past_retention' || row['reason'] === 'not_pulled'
  return seenAfter !== null && isOurs && (row['updated_at'] as number) > seenAfter
}

function expire(db: Database, delivery: number, reason: DeliveryReason, now: number): void {
  db.prepare(`UPDATE deliveries SET status = ?, reason = ?, due_at = NULL, updated_at = ? WHERE position = ?`).run(
    EXPIRED,
    reason,
    now,
    delivery,
  )
}
