import type { Database } from '../database.ts'

/** Empties the bodies of an event and what receivers answered, which may echo them. An erased one stays as it is. */
export function forgetPayload(db: Database, event: number, now: number): void {
  const { changes } = db
    .prepare(
      `UPDATE events SET erased_at = ?, retired = 1, prefix = x'', source = x'', data_start = 0, data_end = 0, warnings = NULL
       WHERE position = ? AND erased_at IS NULL`,
    )
    .run(now, event)
  if (changes > 0) emptyBodies(db, event)
}

/** What else holds the payload of an event, or parts of it: bodies cut for endpoints, and answers of receivers. */
export function emptyBodies(db: Database, event: number): void {
  db.prepare(
    `UPDATE bodies SET body = x'' WHERE ref IN (SELECT body FROM deliveries WHERE event = ? AND body IS NOT NULL)`,
  ).run(event)
  db.prepare(
    `UPDATE attempts SET excerpt = NULL, response_headers = '{}'
     WHERE delivery IN (SELECT position FROM deliveries WHERE event = ?)`,
  ).run(event)
}

/** `false`: some of them are not old yet, because their event was replayed. */
export function removeAttempts(db: Database, event: number, before: number): boolean {
  db.prepare(
    `DELETE FROM attempts WHERE delivery IN (SELECT position FROM deliveries WHERE event = ?) AND started_at < ?`,
  ).run(event, before)
  const left = db
    .prepare('SELECT 1 FROM attempts WHERE delivery IN (SELECT position FROM deliveries WHERE event = ?) LIMIT 1')
    .get(event)
  return left === undefined
}

/** Removes an event with everything about it, and its run once that has no other event. */
export function removeEvent(db: Database, event: number): void {
  const run = db.prepare('SELECT run FROM events WHERE position = ?').get(event)?.['run'] as number | null | undefined
  db.prepare('DELETE FROM attempts WHERE delivery IN (SELECT position FROM deliveries WHERE event = ?)').run(event)
  db.prepare('DELETE FROM bodies WHERE ref IN (SELECT body FROM deliveries WHERE event = ? AND body IS NOT NULL)').run(
    event,
  )
  db.prepare('DELETE FROM deliveries WHERE event = ?').run(event)
  db.prepare('DELETE FROM idempotency_keys WHERE event = ?').run(event)
  for (const what of ['payloads', 'attempts']) {
    db.prepare('DELETE FROM retention_left WHERE what = ? AND mode IN (0, 1) AND event = ?').run(what, event)
  }
  db.prepare('DELETE FROM events WHERE position = ?').run(event)
  if (run !== null && run !== undefined) removeEmptyRun(db, run)
}

function removeEmptyRun(db: Database, run: number): void {
  if (db.prepare('SELECT 1 FROM events WHERE run = ? LIMIT 1').get(run) !== undefined) return
  db.prepare('DELETE FROM run_children WHERE run = ?').run(run)
  db.prepare('DELETE FROM approvals WHERE run = ?').run(run)
  db.prepare('DELETE FROM runs WHERE ref = ?').run(run)
}
