import { deliveryStatuses } from '../codes.ts'
import { isOrdered, NO_TURN, type Ordering } from '../../turns.ts'
import type { Database, Row } from '../database.ts'

const EXPIRED = deliveryStatuses.encode('expired')
const DEAD_LETTERED = deliveryStatuses.encode('dead_lettered')

/** Where a new delivery stands: in the lane of its run or in none, and when it is due. */
export interface Place {
  lane: number | null
  dueAt: number
}

/** The first in a lane is due; whoever comes after it waits for its turn. What ends gives it on by a trigger. */
export function placeOf(
  db: Database,
  { ref, ordering }: { ref: number; ordering: Ordering },
  run: number | null,
  dueAt: number,
): Place {
  if (run === null || !isOrdered(ordering)) return { lane: null, dueAt }
  const head = db.prepare('SELECT 1 FROM deliveries WHERE endpoint = ? AND lane = ? LIMIT 1').get(ref, run)
  return { lane: run, dueAt: head === undefined ? dueAt : NO_TURN }
}

/** A delivery that was reopened takes its turn again; a dead letter that held its lane goes on as its head. */
export function reenter(db: Database, position: number): void {
  const row = db
    .prepare(
      `SELECT d.endpoint, d.lane, d.due_at, e.run, p.ordering FROM deliveries d JOIN events e ON e.position = d.event
       JOIN endpoints p ON p.ref = d.endpoint WHERE d.position = ?`,
    )
    .get(position) as Row
  const ordering = row['ordering'] as Ordering
  if (row['lane'] !== null || !isOrdered(ordering)) return
  const { lane, dueAt } = placeOf(
    db,
    { ref: row['endpoint'] as number, ordering },
    row['run'] as number | null,
    (row['due_at'] as number | null) ?? 0,
  )
  // One that is still in flight has no turn to wait for.
  const due = row['due_at'] === null ? null : dueAt
  db.prepare('UPDATE deliveries SET lane = ?, due_at = ? WHERE position = ?').run(lane, due, position)
}

/** Dead letters hold their lanes no longer, if they did: the trigger looks again at what the endpoint wants. */
export function releaseHeldLanes(db: Database, endpoint: number, now: number): void {
  db.prepare(
    `UPDATE deliveries SET status = status, updated_at = ? WHERE endpoint = ? AND lane IS NOT NULL AND status = ?`,
  ).run(now, endpoint, DEAD_LETTERED)
}

/** What waits behind a dead letter that is older than its event is kept is held no longer: it ends (details 17). */
export function expireBehind(db: Database, { endpoint, lane, now }: { endpoint: number; lane: number; now: number }) {
  db.prepare(
    `UPDATE deliveries SET status = ?, reason = 'held_past_retention', due_at = NULL, updated_at = ?
     WHERE endpoint = ? AND lane = ? AND due_at = ?`,
  ).run(EXPIRED, now, endpoint, lane, NO_TURN)
}
