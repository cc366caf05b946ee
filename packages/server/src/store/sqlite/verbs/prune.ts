import type { Prunable, PruneInput, PruneResult } from '../../retention.ts'
import { modes } from '../codes.ts'
import type { Database, Row } from '../database.ts'
import type { SqliteContext } from './context.ts'
import { forgetPayload, removeAttempts, removeEvent } from './remove-event.ts'
import { settleDeliveries, type Settled } from './settle-deliveries.ts'

/** What retention itself has ended stays to be seen for so long, or as long as events are kept, if that is shorter. */
const SEEN_MS = 86_400_000

interface Candidate {
  position: number
  mode: number
  recordedAt: number
}

/** What one call does: see `RetentionVerbs.prune`. */
interface Round extends Omit<PruneInput, 'mode'> {
  mode: number
}

/**
 * Walks the events in commit order from a mark that is kept, so that nothing is looked at twice but what had to be left; that
 * has a list of its own.
 */
export function prune({ db }: SqliteContext, { mode, ...input }: PruneInput): PruneResult {
  const round = { ...input, mode: modes.encode(mode) }
  // What goes is overwritten: it is not in the file any more.
  db.handle.exec('PRAGMA secure_delete = ON')
  try {
    return run(db, round)
  } finally {
    db.handle.exec('PRAGMA secure_delete = FAST')
  }
}

function run(db: Database, round: Round): PruneResult {
  if (round.what === 'idempotency') return round.again === null ? pruneKeys(db, round) : { removed: 0, next: null }
  return round.again === null ? goOn(db, round) : lookAgain(db, round, round.again)
}

function goOn(db: Database, round: Round): PruneResult {
  const mark = markOf(db, round)
  let [last, removed, work] = [mark, 0, 0]
  for (const event of nextEvents(db, mark, round.limit)) {
    if (event.recordedAt >= round.before || work >= round.limit) break
    last = event.position
    work += 1
    if (event.mode !== round.mode) continue
    const outcome = pruneOne(db, round, event.position)
    work += outcome.deliveries
    if (outcome.removed) removed += 1
    else leave(db, round, event.position)
  }
  if (last > mark) setMark(db, round, last)
  return { removed, next: work >= round.limit ? last : null }
}

function lookAgain(db: Database, round: Round, after: number): PruneResult {
  const left = db
    .prepare(
      `SELECT l.event, e.recorded_at FROM retention_left l JOIN events e ON e.position = l.event
       WHERE l.what = ? AND l.mode = ? AND l.event > ? ORDER BY l.event LIMIT ?`,
    )
    .all(round.what, round.mode, after, round.limit) as { event: number; recorded_at: number }[]
  let [removed, work, last] = [0, 0, after]
  for (const { event, recorded_at: recordedAt } of left) {
    if (work >= round.limit) break
    last = event
    work += 1
    // Things may be kept for longer now than when it was left.
    if (recordedAt >= round.before) continue
    const outcome = pruneOne(db, round, event)
    work += outcome.deliveries
    if (!outcome.removed) continue
    removed += 1
    db.prepare('DELETE FROM retention_left WHERE what = ? AND mode = ? AND event = ?').run(
      round.what,
      round.mode,
      event,
    )
  }
  return { removed, next: work >= round.limit ? last : null }
}

const REMOVE: Record<Exclude<Prunable, 'idempotency'>, (db: Database, event: number, round: Round) => boolean> = {
  payloads(db, event, { now }) {
    forgetPayload(db, event, now)
    return true
  },
  attempts: (db, event, { before }) => removeAttempts(db, event, before),
  events(db, event) {
    removeEvent(db, event)
    return true
  },
}

function pruneOne(db: Database, round: Round, event: number): { removed: boolean; deliveries: number } {
  const what = round.what as keyof typeof REMOVE
  const settled: Settled = settleDeliveries(db, event, {
    now: round.now,
    endHeld: what !== 'attempts',
    seenAfter: what === 'events' ? round.now - Math.min(SEEN_MS, round.now - round.before) : null,
  })
  if (settled.needed) return { removed: false, deliveries: settled.deliveries }
  return { removed: REMOVE[what](db, event, round), deliveries: settled.deliveries }
}

function pruneKeys(db: Database, round: Round): PruneResult {
  const mark = markOf(db, round)
  const events = nextEvents(db, mark, round.limit)
  const young = events.findIndex(({ recordedAt }) => recordedAt >= round.before)
  const last = (young === -1 ? events : events.slice(0, young)).at(-1)?.position
  if (last === undefined) return { removed: 0, next: null }
  const { changes } = db
    .prepare(
      'DELETE FROM idempotency_keys INDEXED BY idempotency_keys_event WHERE event > ? AND event <= ? AND mode = ?',
    )
    .run(mark, last, round.mode)
  setMark(db, round, last)
  return { removed: Number(changes), next: young === -1 && events.length === round.limit ? last : null }
}

function nextEvents(db: Database, after: number, limit: number): Candidate[] {
  const rows = db
    .prepare('SELECT position, mode, recorded_at FROM events WHERE position > ? ORDER BY position LIMIT ?')
    .all(after, limit) as Row[]
  return rows.map((row) => ({
    position: row['position'] as number,
    mode: row['mode'] as number,
    recordedAt: row['recorded_at'] as number,
  }))
}

function markOf(db: Database, { what, mode }: Round): number {
  const row = db.prepare('SELECT position FROM retention_marks WHERE what = ? AND mode = ?').get(what, mode)
  return (row?.['position'] as number | undefined) ?? 0
}

function setMark(db: Database, { what, mode }: Round, position: number): void {
  db.prepare(
    `INSERT INTO retention_marks VALUES (?, ?, ?)
     ON CONFLICT (what, mode) DO UPDATE SET position = excluded.position`,
  ).run(what, mode, position)
}

function leave(db: Database, { what, mode }: Round, event: number): void {
  db.prepare('INSERT OR IGNORE INTO retention_left VALUES (?, ?, ?)').run(what, mode, event)
}
