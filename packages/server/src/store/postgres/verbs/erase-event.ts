import { deliveryStatuses } from '../../codes.ts'
import type { Store } from '../../store.ts'
import type { Session } from '../session.ts'
import type { PostgresContext } from './context.ts'
import { emptyBodies } from './remove-events.ts'

type Input = Parameters<Store['eraseEvent']>[0]
type Output = Awaited<ReturnType<Store['eraseEvent']>>

const PENDING = deliveryStatuses.encode('pending')
const CANCELLED = deliveryStatuses.encode('cancelled')

/** Old versions of its rows are gone from the files once autovacuum has been there, and from the log of changes once that is recycled. */
export async function eraseEvent({ db }: PostgresContext, { eventPosition: event, now }: Input): Promise<Output> {
  const erased = await db.run(
    `UPDATE events SET erased_at = $1, retired = FALSE, prefix = '', source = '', data_start = 0, data_end = 0, warnings = NULL
     WHERE position = $2 AND (erased_at IS NULL OR retired)`,
    ...[now, event],
  )
  if (erased === 0) return null
  await holdAttempts(db, event)
  const pending = await db.rows(
    `SELECT DISTINCT p.id FROM deliveries d JOIN endpoints p ON p.ref = d.endpoint WHERE d.event = $1 AND d.status = $2`,
    ...[event, PENDING],
  )
  await emptyBodies(db, [event])
  await db.run(
    'DELETE FROM queue WHERE due_at IS NOT NULL AND delivery IN (SELECT position FROM deliveries WHERE event = $1)',
    event,
  )
  await db.run(
    `UPDATE deliveries SET status = $1, reason = 'erased', updated_at = $2 WHERE event = $3 AND status = $4`,
    ...[CANCELLED, now, event, PENDING],
  )
  // Nobody is told of a request for approval whose text is gone.
  await db.run('UPDATE deliveries SET watch = 2 WHERE event = $1 AND watch = 1', event)
  return { endpointIds: pending.map(({ id }) => id as string) }
}

/**
 * Waits for outcomes that are being recorded at this moment, so that what they keep of an answer is seen and emptied; those that
 * come later find their delivery ended and the event erased.
 */
async function holdAttempts(db: Session, event: number): Promise<void> {
  await db.rows(
    `SELECT 1 FROM queue WHERE delivery IN (SELECT position FROM deliveries WHERE event = $1) ORDER BY delivery FOR UPDATE`,
    event,
  )
}
