import type { Store } from '../../store.ts'
import type { PostgresContext } from './context.ts'
import { endWaiting } from './end-waiting.ts'
import { notWritten } from './not-written.ts'

/** Ends waiting deliveries whose deadline has passed; those in flight end with their attempt. */
export async function expireDeliveries(
  { db }: PostgresContext,
  { now, limit }: Parameters<Store['expireDeliveries']>[0],
): Promise<number> {
  const rows = await db.rows(
    `SELECT delivery FROM queue WHERE deadline <= $1 AND deadline IS NOT NULL AND due_at IS NOT NULL
     ORDER BY deadline LIMIT $2 FOR UPDATE SKIP LOCKED`,
    ...[now, limit],
  )
  const deliveries = rows.map(({ delivery }) => delivery as number)
  return endWaiting(db, deliveries, { status: 'expired', reason: 'deadline_passed', now })
}

export const cancelHeld = notWritten('cancelHeld')
