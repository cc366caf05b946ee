import { isOrdered, NO_TURN, ORDERINGS, type Ordering } from '../../turns.ts'
import type { Row, Session } from '../session.ts'
import { endWaiting } from './end-waiting.ts'
import type { EndpointRef } from './endpoint-ref.ts'

/** A delivery that is about to be inserted, or that is reopened. */
export interface Newcomer {
  endpoint: Pick<EndpointRef, 'ref' | 'ordering'>
  /** `null`: it belongs to no run. */
  run: number | null
}

/** Where it stands: in the lane of its run or in none, and whether it waits for its turn there. */
export interface Place {
  lane: number | null
  waits: boolean
}

/**
 * Gives each its place: the first in a lane is due, whoever comes after it waits for its turn. The runs are held by the caller, so that
 * nobody gives a turn on meanwhile to what is not there yet.
 */
export async function placesOf(db: Session, newcomers: readonly Newcomer[]): Promise<Place[]> {
  const lanes = newcomers.map(({ endpoint, run }) => (isOrdered(endpoint.ordering) ? run : null))
  const asked = newcomers.flatMap(({ endpoint }, index) => {
    const lane = lanes[index] ?? null
    return lane === null ? [] : [{ endpoint: endpoint.ref, lane }]
  })
  if (asked.length === 0) return lanes.map((lane) => ({ lane, waits: false }))
  const rows = await db.rows(
    `SELECT DISTINCT a.endpoint, a.lane FROM unnest($1::bigint[], $2::bigint[]) AS a (endpoint, lane)
     WHERE EXISTS (SELECT 1 FROM queue q WHERE q.endpoint = a.endpoint AND q.lane = a.lane)
       OR EXISTS (SELECT 1 FROM held_lanes h WHERE h.endpoint = a.endpoint AND h.lane = a.lane)`,
    asked.map(({ endpoint }) => endpoint),
    asked.map(({ lane }) => lane),
  )
  const taken = new Set(rows.map(nameOf))
  return newcomers.map(({ endpoint }, index) => {
    const lane = lanes[index] ?? null
    if (lane === null) return { lane, waits: false }
    const name = nameOf({ endpoint: endpoint.ref, lane })
    const waits = taken.has(name)
    taken.add(name)
    return { lane, waits }
  })
}

function nameOf({ endpoint, lane }: Row): string {
  return `${String(endpoint)}/${String(lane)}`
}

/** Holds these runs, in the order in which acceptance does, until the commit. */
export async function holdLanes(db: Session, runs: readonly number[]): Promise<void> {
  if (runs.length > 0)
    await db.rows('SELECT 1 FROM runs WHERE ref = ANY($1) ORDER BY ref FOR UPDATE', [...new Set(runs)])
}

interface EndedPlace extends Place {
  delivery: number
}

/**
 * The places of deliveries that were ended and are reopened, whose rows are held: each takes its turn again, after those that are due or
 * in flight. A dead letter that holds its lane is its head.
 */
export async function placesOfEnded(db: Session, deliveries: readonly number[], now: number): Promise<EndedPlace[]> {
  const rows = await db.rows(
    `SELECT d.position, d.endpoint, p.ordering, e.run, EXISTS (SELECT 1 FROM held_lanes WHERE delivery = d.position) AS holds
     FROM deliveries d JOIN endpoints p ON p.ref = d.endpoint JOIN events e ON e.position = d.event
     WHERE d.position = ANY($1) AND p.ordering IN (${ORDERINGS.skip}, ${ORDERINGS.hold}) AND e.run IS NOT NULL`,
    deliveries,
  )
  const byPosition = new Map(rows.map((row) => [row['position'] as number, row]))
  if (rows.length > 0) {
    // Turns that are free go to those that wait already.
    const refs = new Set(rows.map(({ endpoint }) => endpoint as number))
    await giveTurns(db, [...refs], now)
    await holdLanes(
      db,
      rows.map(({ run }) => run as number),
    )
  }
  const places = await placesOf(
    db,
    deliveries.map((position) => newcomerFrom(byPosition.get(position))),
  )
  return places.map(({ lane, waits }, index) => {
    const delivery = deliveries[index] as number
    return { delivery, lane, waits: waits && byPosition.get(delivery)?.['holds'] !== true }
  })
}

/** The places of new deliveries of these events to one endpoint. */
export async function placesOfNew(db: Session, endpoint: number, events: readonly number[]): Promise<Place[]> {
  const rows = await db.rows(
    `SELECT e.position, p.ref AS endpoint, p.ordering, e.run FROM events e JOIN endpoints p ON p.ref = $2
     WHERE e.position = ANY($1) AND p.ordering IN (${ORDERINGS.skip}, ${ORDERINGS.hold}) AND e.run IS NOT NULL`,
    ...[events, endpoint],
  )
  await holdLanes(
    db,
    rows.map(({ run }) => run as number),
  )
  const byPosition = new Map(rows.map((row) => [row['position'] as number, row]))
  return placesOf(
    db,
    events.map((position) => newcomerFrom(byPosition.get(position))),
  )
}

function newcomerFrom(row: Row | undefined): Newcomer {
  const ordering = (row?.['ordering'] ?? ORDERINGS.never) as Ordering
  return { endpoint: { ref: (row?.['endpoint'] as number) ?? 0, ordering }, run: (row?.['run'] as number) ?? null }
}

/** Turns given on in one transaction at most. */
const MOST_TURNS = 1000

/** Gives the turns on that have become free at these endpoints: the lowest that waits is due. */
export async function giveTurns(db: Session, endpoints: readonly number[], now: number): Promise<void> {
  if (endpoints.length === 0) return
  const rows = await db.rows(
    `DELETE FROM turns USING (
       SELECT endpoint, lane FROM turns WHERE endpoint = ANY($1) ORDER BY endpoint, lane LIMIT $2 FOR UPDATE SKIP LOCKED
     ) AS free WHERE turns.endpoint = free.endpoint AND turns.lane = free.lane RETURNING turns.endpoint, turns.lane`,
    ...[endpoints, MOST_TURNS],
  )
  if (rows.length === 0) return
  const lanes = rows.map(({ lane }) => lane as number)
  await holdLanes(db, lanes)
  await db.run(
    `UPDATE queue SET due_at = $3 FROM (
       SELECT first.delivery FROM unnest($1::bigint[], $2::bigint[]) AS free (endpoint, lane), LATERAL (
         SELECT delivery, due_at FROM queue WHERE endpoint = free.endpoint AND lane = free.lane ORDER BY delivery LIMIT 1
       ) AS first
       WHERE first.due_at = ${NO_TURN}
         AND NOT EXISTS (SELECT 1 FROM held_lanes h WHERE h.endpoint = free.endpoint AND h.lane = free.lane)
     ) AS next WHERE queue.delivery = next.delivery AND queue.due_at = ${NO_TURN}`,
    rows.map(({ endpoint }) => endpoint as number),
    lanes,
    now,
  )
}

/** Dead letters of this endpoint hold their lanes no longer, if it wants that no more. */
export async function releaseHeldLanes(db: Session, endpoint: number): Promise<void> {
  await db.run(
    `WITH released AS (DELETE FROM held_lanes WHERE endpoint = $1 RETURNING endpoint, lane)
     INSERT INTO turns SELECT DISTINCT endpoint, lane FROM released ON CONFLICT DO NOTHING`,
    endpoint,
  )
}

/** What waits behind dead letters of these events, which are older than events are kept, is held no longer: it ends (details 17). */
export async function expireBehind(db: Session, events: readonly number[], now: number): Promise<void> {
  const rows = await db.rows(
    `SELECT q.delivery FROM deliveries d JOIN held_lanes h ON h.delivery = d.position
     JOIN queue q ON q.endpoint = h.endpoint AND q.lane = h.lane AND q.due_at = ${NO_TURN}
     WHERE d.event = ANY($1) ORDER BY q.delivery FOR UPDATE OF q`,
    events,
  )
  const behind = rows.map(({ delivery }) => delivery as number)
  await endWaiting(db, behind, { status: 'expired', reason: 'held_past_retention', now })
}
