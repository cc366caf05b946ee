import type { Session } from '../session.ts'

/** Empties the bodies of events and what receivers answered, which may echo them. Erased ones stay as they are. */
export async function forgetPayloads(db: Session, events: readonly number[], now: number): Promise<void> {
  const rows = await db.rows(
    `UPDATE events SET erased_at = $1, retired = TRUE, prefix = '', source = '', data_start = 0, data_end = 0, warnings = NULL
     WHERE position = ANY($2) AND erased_at IS NULL RETURNING position`,
    ...[now, events],
  )
  const forgotten = rows.map(({ position }) => position as number)
  if (forgotten.length > 0) await emptyBodies(db, forgotten)
}

/** What else holds the payload of events, or parts of it: bodies cut for endpoints, and answers of receivers. */
export async function emptyBodies(db: Session, events: readonly number[]): Promise<void> {
  await db.run(
    `UPDATE bodies SET body = '' WHERE ref IN (SELECT body FROM deliveries WHERE event = ANY($1) AND body IS NOT NULL)`,
    events,
  )
  await db.run(
    `UPDATE attempts SET excerpt = NULL, response_headers = '{}'
     WHERE delivery IN (SELECT position FROM deliveries WHERE event = ANY($1))`,
    events,
  )
}

/** Returns the events of which some attempts are not old yet, because they were replayed. */
export async function removeAttempts(db: Session, events: readonly number[], before: number): Promise<Set<number>> {
  await db.run(
    `DELETE FROM attempts WHERE delivery IN (SELECT position FROM deliveries WHERE event = ANY($1)) AND started_at < $2`,
    ...[events, before],
  )
  const left = await db.rows(
    `SELECT event FROM deliveries d WHERE event = ANY($1) AND EXISTS (SELECT 1 FROM attempts WHERE delivery = d.position)`,
    events,
  )
  return new Set(left.map(({ event }) => event as number))
}

/** Holds the runs of events, in the order in which acceptance does. Returns them. */
export async function holdRuns(db: Session, events: readonly number[]): Promise<number[]> {
  const rows = await db.rows(
    `SELECT ref FROM runs WHERE ref IN (SELECT run FROM events WHERE position = ANY($1) AND run IS NOT NULL)
     ORDER BY ref FOR UPDATE`,
    events,
  )
  return rows.map(({ ref }) => ref as number)
}

/** Removes events with everything about them, and those of the runs, which are held, that have no other event. */
export async function removeEvents(
  db: Session,
  { events, runs, mode }: { events: readonly number[]; runs: readonly number[]; mode: number },
): Promise<void> {
  const theirs = 'SELECT position FROM deliveries WHERE event = ANY($1)'
  await db.run(`DELETE FROM attempts WHERE delivery IN (${theirs})`, events)
  await db.run(
    'DELETE FROM bodies WHERE ref IN (SELECT body FROM deliveries WHERE event = ANY($1) AND body IS NOT NULL)',
    events,
  )
  await db.run('DELETE FROM deliveries WHERE event = ANY($1)', events)
  await db.run('DELETE FROM idempotency_keys WHERE event = ANY($1)', events)
  await db.run(
    `DELETE FROM retention_left WHERE what IN ('payloads', 'attempts') AND mode = $1 AND event = ANY($2)`,
    ...[mode, events],
  )
  await db.run('DELETE FROM events WHERE position = ANY($1)', events)
  const rows = await db.rows(
    'DELETE FROM runs WHERE ref = ANY($1) AND NOT EXISTS (SELECT 1 FROM events WHERE run = runs.ref) RETURNING ref',
    runs,
  )
  if (rows.length > 0) {
    const gone = rows.map(({ ref }) => ref as number)
    await db.run('DELETE FROM run_children WHERE run = ANY($1)', gone)
    await db.run('DELETE FROM approvals WHERE run = ANY($1)', gone)
  }
}
