import { takeStep, type Advanced, type BulkReplayRow, type ReplayCounts } from '../../bulk-replays.ts'
import type { GivenBody } from '../../rows.ts'
import type { Store } from '../../store.ts'
import { isWanted, type Obstacle } from '../../surveys.ts'
import type { Row, Session } from '../session.ts'
import { bulkReplayFrom } from './bulk-replays.ts'
import type { PostgresContext } from './context.ts'
import { endpointsByRef, isBeyond, requireEndpoint, type EndpointRef } from './endpoint-ref.ts'
import { insertDeliveries, lookAgainAtAttempts, reopen } from './replay-deliveries.ts'
import { readCandidates, walkDeliveries, type FoundCandidate } from './walk-deliveries.ts'

/** Locks in the order of everybody else: first its own row, which nobody takes later, then events, the queue, deliveries. */
export async function advanceBulkReplay(
  context: PostgresContext,
  { replay, fence, now, look, limit }: Parameters<Store['advanceBulkReplay']>[0],
): Promise<Advanced | null> {
  const { db } = context
  const row = await holdReplay(db, replay, fence)
  if (row === null) return null
  const { filter, upTo } = row.asked
  const found = await walkDeliveries(db, row, filter, { after: row.cursor, upTo, limit: look })
  const { taken, cursor } = takeStep(found, { look, limit })
  const held = (await holdCandidates(db, taken)).filter((candidate) => isWanted(filter, candidate))
  const free = held.filter(({ obstacle }) => obstacle === null)
  await lookAgainAtAttempts(
    db,
    free.map(({ event }) => event),
  )
  const positions = free.map(({ position }) => position)
  await reopen(context, positions, now)
  return endStep(db, row, {
    ...{ cursor, now, positions },
    skipped: held.flatMap(({ obstacle }) => (obstacle === null ? [] : [obstacle])),
    endpointIds: new Set(free.map(({ endpointId }) => endpointId)),
  })
}

/** As they are once nobody can change them any more. */
async function holdCandidates(db: Session, found: readonly FoundCandidate[]): Promise<FoundCandidate[]> {
  if (found.length === 0) return []
  const events = found.map(({ event }) => event)
  await db.rows('SELECT 1 FROM events WHERE position = ANY($1) ORDER BY position FOR NO KEY UPDATE', events)
  const positions = found.map(({ position }) => position)
  await db.rows('SELECT 1 FROM queue WHERE delivery = ANY($1) ORDER BY delivery FOR UPDATE', positions)
  await db.rows('SELECT 1 FROM deliveries WHERE position = ANY($1) ORDER BY position FOR NO KEY UPDATE', positions)
  return readCandidates(db, positions)
}

export async function deliverBulkReplay(
  context: PostgresContext,
  { replay, fence, now, from, to, items, configVersion }: Parameters<Store['deliverBulkReplay']>[0],
): Promise<Advanced | 'stale' | null> {
  const { db } = context
  const row = await holdReplay(db, replay, fence)
  const endpointId = row?.asked.toEndpointId ?? null
  if (row === null || endpointId === null || row.cursor !== from) return null
  if (configVersion !== (await db.configVersion())) return 'stale'
  const endpoint = await endpointById(db, endpointId)
  const obstacles = await obstaclesOf(
    db,
    endpoint,
    items.map(({ eventPosition }) => eventPosition),
  )
  const skipped: Obstacle[] = []
  const made: { event: number; deliveryId: string; body: GivenBody }[] = []
  for (const { eventPosition: event, deliveryId, body } of items) {
    const beyond = endpoint !== null && isBeyond({ classes: body.classes }, endpoint) ? 'policy_changed' : null
    const obstacle = obstacles.get(event) ?? beyond
    if (obstacle === null) made.push({ event, deliveryId, body })
    else skipped.push(obstacle)
  }
  await lookAgainAtAttempts(
    db,
    made.map(({ event }) => event),
  )
  // Last: positions are held until the commit.
  const positions = endpoint === null ? [] : await insertDeliveries(context, endpoint.ref, made, now)
  const endpointIds = new Set(positions.length === 0 ? [] : [endpointId])
  return endStep(db, row, { cursor: to, now, positions, skipped, endpointIds })
}

async function endpointById(db: Session, id: string): Promise<EndpointRef | null> {
  const row = await db.row('SELECT ref FROM endpoints WHERE id = $1 AND deleted_at IS NULL', id)
  if (row === undefined) return null
  return requireEndpoint(await endpointsByRef(db, [row['ref'] as number]), row['ref'])
}

/** Holds the events, so that nobody else makes a delivery of one for the same endpoint meanwhile. */
async function obstaclesOf(
  db: Session,
  endpoint: EndpointRef | null,
  events: readonly number[],
): Promise<Map<number, Obstacle>> {
  if (endpoint === null) return new Map(events.map((event) => [event, 'endpoint_deleted']))
  const sql = 'SELECT position, erased_at FROM events WHERE position = ANY($1) ORDER BY position FOR NO KEY UPDATE'
  const rows = await db.rows(sql, events)
  const whole = new Set(rows.filter((row) => row['erased_at'] === null).map((row) => row['position']))
  const there = await db.rows(
    'SELECT event FROM deliveries WHERE event = ANY($1) AND endpoint = $2',
    ...[events, endpoint.ref],
  )
  const gone = events.filter((event) => !whole.has(event))
  return new Map<number, Obstacle>([
    ...gone.map((event): [number, Obstacle] => [event, 'payload_gone']),
    ...there.map((row): [number, Obstacle] => [row['event'] as number, 'already_there']),
  ])
}

async function holdReplay(db: Session, replay: number, fence: number): Promise<BulkReplayRow | null> {
  const sql = `SELECT * FROM bulk_replays WHERE position = $1 AND fence = $2 AND status = 'running' FOR UPDATE`
  const row = await db.row(sql, replay, fence)
  return row === undefined ? null : bulkReplayFrom(row)
}

interface StepEnd {
  /** `null`: nothing is left. */
  cursor: number | null
  now: number
  /** Of the deliveries that were reopened or made. */
  positions: readonly number[]
  skipped: readonly Obstacle[]
  endpointIds: ReadonlySet<string>
}

async function endStep(db: Session, row: BulkReplayRow, end: StepEnd): Promise<Advanced> {
  const counts: ReplayCounts = structuredClone(row.counts)
  counts.replayed += end.positions.length
  for (const obstacle of end.skipped) counts.skipped[obstacle] += 1
  // Its key holds that no delivery is taken twice.
  await db.run(
    'INSERT INTO bulk_replay_items SELECT $1, delivery FROM unnest($2::bigint[]) AS delivery',
    ...[row.position, end.positions],
  )
  const isDone = end.cursor === null
  const after = await db.row(
    `UPDATE bulk_replays SET cursor = $1, counts = $2, updated_at = $3, status = $4, ended_at = $5
     WHERE position = $6 RETURNING *`,
    ...[end.cursor ?? row.asked.upTo, JSON.stringify(counts), end.now],
    ...[isDone ? 'completed' : 'running', isDone ? end.now : null, row.position],
  )
  return { row: bulkReplayFrom(after as Row), replayed: end.positions.length, endpointIds: [...end.endpointIds] }
}
