import type { ClassMask } from '../../../core/data-classes.ts'
import type { Session } from '../session.ts'
import { endWaiting } from './end-waiting.ts'

/** Deliveries that are ended by one statement. */
const AT_ONCE = 5000

interface Beyond {
  /** Its reference. */
  endpoint: number
  grants: ClassMask
  now: number
  /** How many at most; `null`: all of them. */
  limit: number | null
}

/** Ends waiting deliveries of an endpoint with values of classes it is not granted. Returns how many. */
export async function cancelBeyond(db: Session, { endpoint, grants, now, limit }: Beyond): Promise<number> {
  let cancelled = 0
  // Once for each of the two partial indexes: what waits in the usual way, and suspects.
  for (const suspect of ['NOT suspect', 'suspect']) {
    for (let found = 1; found > 0;) {
      const room = Math.min(limit === null ? AT_ONCE : limit - cancelled, AT_ONCE)
      if (room <= 0) return cancelled
      const rows = await db.rows(
        `SELECT delivery FROM queue WHERE endpoint = $1 AND due_at IS NOT NULL AND ${suspect} AND classes & ~$2::integer <> 0
         LIMIT $3 FOR UPDATE`,
        ...[endpoint, grants, room],
      )
      const deliveries = rows.map(({ delivery }) => delivery as number)
      found = await endWaiting(db, deliveries, { status: 'cancelled', reason: 'policy_changed', now })
      cancelled += found
    }
  }
  return cancelled
}
