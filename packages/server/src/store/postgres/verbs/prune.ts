import { modes } from '../../codes.ts'
import type { PruneInput, PruneResult } from '../../retention.ts'
import type { Session } from '../session.ts'
import type { PostgresContext } from './context.ts'
import { forgetPayloads, holdRuns, removeAttempts, removeEvents } from './remove-events.ts'
import { settleDeliveries } from './settle-deliveries.ts'

/** What retention itself has ended stays to be seen for so long, or as long as events are kept, if that is shorter. */
const SEEN_MS = 86_400_000

interface Candidate {
  position: number
  mode: number
  recordedAt: number
  /** How many deliveries it has. */
  deliveries: number
}

/** What one call does: see `RetentionVerbs.prune`. */
interface Round extends Omit<PruneInput, 'mode'> {
  mode: number
}

/**
 * Walks the events in commit order from a mark that is kept, so that nothing is looked at twice but what had to be left; that
 * has a list of its own. The mark's row is held: of several nodes one is at it, and the next goes on from where that ended.
 */
export async function prune({ db }: PostgresContext, { mode, ...input }: PruneInput): Promise<PruneResult> {
  const round = { ...input, mode: modes.encode(mode) }
  const mark = await holdMark(db, round)
  if (round.what === 'idempotency') {
    return round.again === null ? pruneKeys(db, round, mark) : { removed: 0, next: null }
  }
  return round.again === null ? goOn(db, round, mark) : lookAgain(db, round, round.again)
}

async function goOn(db: Session, round: Round, mark: number): Promise<PruneResult> {
  let [last, work] = [mark, 0]
  const mine: number[] = []
  for (const event of await nextEvents(db, round, mark)) {
    if (event.recordedAt >= round.before || work >= round.limit) break
    last = event.position
    work += 1
    if (event.mode !== round.mode) continue
    work += event.deliveries
    mine.push(event.position)
  }
  const { removed, left } = await pruneEvents(db, round, mine)
  await leave(db, round, left)
  if (last > mark) await setMark(db, round, last)
  return { removed, next: work >= round.limit ? last : null }
}

async function lookAgain(db: Session, round: Round, after: number): Promise<PruneResult> {
  let [last, work] = [after, 0]
  const old: number[] = []
  for (const event of await leftEvents(db, round, after)) {
    if (work >= round.limit) break
    last = event.position
    work += 1
    // Things may be kept for longer now than when it was left.
    if (event.recordedAt >= round.before) continue
    work += event.deliveries
    old.push(event.position)
  }
  const { removed, left } = await pruneEvents(db, round, old)
  const done = old.filter((position) => !left.includes(position))
  await db.run(
    'DELETE FROM retention_left WHERE what = $1 AND mode = $2 AND event = ANY($3)',
    ...[round.what, round.mode, done],
  )
  return { removed, next: work >= round.limit ? last : null }
}

/** Removes what is not needed any more of the events. One that is not there went with another kind of removal. */
async function pruneEvents(
  db: Session,
  round: Round,
  events: readonly number[],
): Promise<{ removed: number; left: number[] }> {
  if (events.length === 0) return { removed: 0, left: [] }
  const runs = round.what === 'events' ? await holdRuns(db, events) : []
  const there = await holdEvents(db, events)
  const needed = await settleDeliveries(db, there, {
    now: round.now,
    endHeld: round.what !== 'attempts',
    seenAfter: round.what === 'events' ? round.now - Math.min(SEEN_MS, round.now - round.before) : null,
  })
  const free = there.filter((position) => !needed.has(position))
  if (free.length > 0) {
    if (round.what === 'payloads') await forgetPayloads(db, free, round.now)
    if (round.what === 'events') await removeEvents(db, { events: free, runs, mode: round.mode })
    if (round.what === 'attempts') for (const event of await removeAttempts(db, free, round.before)) needed.add(event)
  }
  return { removed: there.filter((position) => !needed.has(position)).length, left: [...needed] }
}

async function pruneKeys(db: Session, round: Round, mark: number): Promise<PruneResult> {
  const events = await nextEvents(db, round, mark)
  const young = events.findIndex(({ recordedAt }) => recordedAt >= round.before)
  const last = (young === -1 ? events : events.slice(0, young)).at(-1)?.position
  if (last === undefined) return { removed: 0, next: null }
  const removed = await db.run(
    'DELETE FROM idempotency_keys WHERE event > $1 AND event <= $2 AND mode = $3',
    ...[mark, last, round.mode],
  )
  await setMark(db, round, last)
  return { removed, next: young === -1 && events.length === round.limit ? last : null }
}

const COUNT = '(SELECT count(*)::integer FROM deliveries WHERE event = e.position)'

async function nextEvents(db: Session, { limit, mode, what }: Round, after: number): Promise<Candidate[]> {
  const count = what === 'idempotency' ? '0' : `CASE WHEN e.mode = ${mode} THEN ${COUNT} END`
  const rows = await db.rows(
    `SELECT e.position, e.mode, e.recorded_at, ${count} AS deliveries FROM events e
     WHERE e.position > $1 ORDER BY e.position LIMIT $2`,
    ...[after, limit],
  )
  return rows.map((row) => candidateFrom(row))
}

async function leftEvents(db: Session, { what, mode, limit }: Round, after: number): Promise<Candidate[]> {
  const rows = await db.rows(
    `SELECT l.event AS position, l.mode, coalesce(e.recorded_at, 0) AS recorded_at, ${COUNT} AS deliveries
     FROM retention_left l LEFT JOIN events e ON e.position = l.event
     WHERE l.what = $1 AND l.mode = $2 AND l.event > $3 ORDER BY l.event LIMIT $4`,
    ...[what, mode, after, limit],
  )
  return rows.map((row) => candidateFrom(row))
}

function candidateFrom(row: Record<string, unknown>): Candidate {
  return {
    position: row['position'] as number,
    mode: row['mode'] as number,
    recordedAt: row['recorded_at'] as number,
    deliveries: (row['deliveries'] as number | null) ?? 0,
  }
}

/** Holds those of the events that are there, so that nobody replays or erases them meanwhile; in commit order. */
async function holdEvents(db: Session, events: readonly number[]): Promise<number[]> {
  const sql = 'SELECT position FROM events WHERE position = ANY($1) ORDER BY position FOR UPDATE'
  return (await db.rows(sql, events)).map(({ position }) => position as number)
}

async function holdMark(db: Session, { what, mode }: Round): Promise<number> {
  const select = 'SELECT position FROM retention_marks WHERE what = $1 AND mode = $2 FOR UPDATE'
  const row = await db.row(select, what, mode)
  if (row !== undefined) return row['position'] as number
  await db.run('INSERT INTO retention_marks VALUES ($1, $2, 0) ON CONFLICT DO NOTHING', what, mode)
  return (await db.row(select, what, mode))?.['position'] as number
}

async function setMark(db: Session, { what, mode }: Round, position: number): Promise<void> {
  await db.run('UPDATE retention_marks SET position = $3 WHERE what = $1 AND mode = $2', what, mode, position)
}

async function leave(db: Session, { what, mode }: Round, events: readonly number[]): Promise<void> {
  if (events.length === 0) return
  await db.run(
    'INSERT INTO retention_left SELECT $1, $2, event FROM unnest($3::bigint[]) AS event ON CONFLICT DO NOTHING',
    ...[what, mode, events],
  )
}
