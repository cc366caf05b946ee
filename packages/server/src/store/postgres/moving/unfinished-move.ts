import type { Session } from '../session.ts'
import { DatabaseUnusable } from '../start-errors.ts'

/**
 * What is only partly here must not be worked with.
 * @throws DatabaseUnusable while a move into this database is not finished
 */
export async function refuseUnfinishedMove(db: Session): Promise<void> {
  const row = await db.row('SELECT started_at FROM moves WHERE finished_at IS NULL')
  if (row === undefined) return
  throw new DatabaseUnusable(
    'a move into this database has begun and is not finished: run the same runbell migrate again, which goes on where it was',
  )
}
