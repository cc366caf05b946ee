import type { Store } from '../../store.ts'
import { deliveryStatuses } from '../codes.ts'
import type { Row } from '../database.ts'
import type { SqliteContext } from './context.ts'
import { emptyBodies } from './remove-event.ts'

type Input = Parameters<Store['eraseEvent']>[0]
type Output = Awaited<ReturnType<Store['eraseEvent']>>

/** What is freed is overwritten with zeros, and the log of changes is emptied after the commit: it is not in the files any more. */
export function eraseEvent(context: SqliteContext, { eventPosition: event, now }: Input): Output {
  const { db } = context
  db.handle.exec('PRAGMA secure_delete = ON')
  try {
    const { changes } = db
      .prepare(
        `UPDATE events SET erased_at = ?, retired = 0, prefix = x'', source = x'', data_start = 0, data_end = 0, warnings = NULL
         WHERE position = ? AND (erased_at IS NULL OR retired = 1)`,
      )
      .run(now, event)
    if (changes === 0) return null
    const pending = db
      .prepare(
        `SELECT DISTINCT p.id FROM deliveries d JOIN endpoints p ON p.ref = d.endpoint WHERE d.event = ? AND d.status = ?`,
      )
      .all(event, deliveryStatuses.encode('pending')) as Row[]
    emptyBodies(db, event)
    db.prepare(
      `UPDATE deliveries SET status = ?, reason = 'erased', due_at = NULL, updated_at = ? WHERE event = ? AND status = ?`,
    ).run(deliveryStatuses.encode('cancelled'), now, event, deliveryStatuses.encode('pending'))
    // Nobody is told of a request for approval whose text is gone.
    db.prepare('UPDATE deliveries SET watch = 2 WHERE event = ? AND watch = 1').run(event)
    context.emptyLog = true
    return { endpointIds: pending.map(({ id }) => id as string) }
  } finally {
    db.handle.exec('PRAGMA secure_delete = FAST')
  }
}

/** Whether a delivery's event has been erased: then nothing that its receiver answers is kept. */
export function isErased({ db }: SqliteContext, delivery: number): boolean {
  const row = db
    .prepare('SELECT erased_at FROM events WHERE position = (SELECT event FROM deliveries WHERE position = ?)')
    .get(delivery)
  return row !== undefined && row['erased_at'] !== null
}
