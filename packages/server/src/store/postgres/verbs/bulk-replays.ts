import { noCounts, type BulkReplayRow, type ReplayCounts, type ReplayedPlace } from '../../bulk-replays.ts'
import { deliveryStatuses, modes } from '../../codes.ts'
import type { CursorPage, ReadScope } from '../../rows.ts'
import type { Store } from '../../store.ts'
import type { Row, Session } from '../session.ts'
import type { PostgresContext } from './context.ts'
import { Where, pageOf } from './where.ts'

export async function createBulkReplay(
  { db }: PostgresContext,
  { replay, maxRunning }: Parameters<Store['createBulkReplay']>[0],
): Promise<BulkReplayRow | null> {
  const { id, mode, tenantId, asked, createdAt } = replay
  const code = modes.encode(mode)
  const running = await db.row(
    `SELECT count(*)::integer AS count FROM bulk_replays
     WHERE mode = $1 AND tenant_id IS NOT DISTINCT FROM $2 AND status = 'running'`,
    ...[code, tenantId],
  )
  if ((running?.['count'] as number) >= maxRunning) return null
  const row = await db.row(
    `INSERT INTO bulk_replays (id, mode, tenant_id, status, asked, counts, cursor, created_at, updated_at)
     VALUES ($1, $2, $3, 'running', $4, $5, 0, $6, $6) RETURNING *`,
    ...[id, code, tenantId, JSON.stringify(asked), JSON.stringify(noCounts()), createdAt],
  )
  return bulkReplayFrom(row as Row)
}

export async function findBulkReplay(
  { db }: PostgresContext,
  { scope, replayId }: Parameters<Store['findBulkReplay']>[0],
): Promise<BulkReplayRow | null> {
  const row = await byId(db, scope, replayId)
  return row === undefined ? null : bulkReplayFrom(row)
}

export async function listBulkReplays(
  { db }: PostgresContext,
  { scope, page }: Parameters<Store['listBulkReplays']>[0],
): Promise<CursorPage<BulkReplayRow>> {
  const where = new Where().scope('bulk_replays', scope).before('position', page.after)
  const sql = `SELECT * FROM bulk_replays ${where.text} ORDER BY position DESC LIMIT ${where.place(page.limit + 1)}`
  const found = pageOf(await db.rows(sql, ...where.values), page.limit)
  return { rows: found.rows.map(bulkReplayFrom), next: found.next }
}

export async function cancelBulkReplay(
  { db }: PostgresContext,
  { scope, replayId, now }: Parameters<Store['cancelBulkReplay']>[0],
): Promise<BulkReplayRow | null> {
  const found = await byId(db, scope, replayId)
  if (found === undefined) return null
  const row = await db.row(
    `UPDATE bulk_replays SET status = 'cancelled', updated_at = $1, ended_at = $1
     WHERE position = $2 AND status = 'running' RETURNING *`,
    ...[now, found['position'] as number],
  )
  return row === undefined ? null : bulkReplayFrom(row)
}

/** A node that lives keeps what it has for as long as its claims are its own. */
const FREE = `node_id IS DISTINCT FROM $1 AND NOT EXISTS (SELECT 1 FROM nodes n WHERE n.node_id = r.node_id AND NOT n.has_left
  AND n.held_at_death IS NULL AND n.lease_until > clock_timestamp())`

export async function claimBulkReplays(
  { db }: PostgresContext,
  { nodeId, limit }: Parameters<Store['claimBulkReplays']>[0],
): Promise<Awaited<ReturnType<Store['claimBulkReplays']>>> {
  const own = await db.rows(
    `SELECT * FROM bulk_replays WHERE status = 'running' AND node_id = $1 ORDER BY position LIMIT $2`,
    ...[nodeId, limit],
  )
  const taken =
    own.length >= limit
      ? []
      : await db.rows(
          `UPDATE bulk_replays SET node_id = $1, fence = fence + 1 WHERE position IN (
             SELECT position FROM bulk_replays r WHERE status = 'running' AND ${FREE} ORDER BY position LIMIT $2
             FOR UPDATE SKIP LOCKED) RETURNING *`,
          ...[nodeId, limit - own.length],
        )
  const held = [...own, ...taken].map((row) => ({ row: bulkReplayFrom(row), fence: row['fence'] as number }))
  return held.toSorted((a, b) => a.row.position - b.row.position)
}

export async function settleBulkReplays(
  { db }: PostgresContext,
  { after, limit }: Parameters<Store['settleBulkReplays']>[0],
): Promise<{ next: ReplayedPlace | null }> {
  const items = await db.rows(
    `SELECT i.replay, i.delivery, d.status FROM bulk_replay_items i LEFT JOIN deliveries d ON d.position = i.delivery
     WHERE (i.replay, i.delivery) > ($1, $2) ORDER BY i.replay, i.delivery LIMIT $3`,
    ...[after?.replay ?? 0, after?.delivery ?? 0, limit],
  )
  const ended = items.filter(({ status }) => status === null || deliveryStatuses.decode(status) !== 'pending')
  for (const replay of new Set(ended.map((row) => row['replay'] as number))) {
    const own = ended.filter((row) => row['replay'] === replay)
    await countEnds(db, replay, own)
  }
  const last = items.at(-1)
  if (last === undefined || items.length < limit) return { next: null }
  return { next: { replay: last['replay'] as number, delivery: last['delivery'] as number } }
}

/** Another node may count at the same time: each item is counted by who removes it. */
async function countEnds(db: Session, replay: number, ended: readonly Row[]): Promise<void> {
  const row = await db.row('SELECT counts FROM bulk_replays WHERE position = $1 FOR UPDATE', replay)
  if (row === undefined) return
  const counts = JSON.parse(row['counts'] as string) as ReplayCounts
  const removed = await db.rows(
    'DELETE FROM bulk_replay_items WHERE replay = $1 AND delivery = ANY($2) RETURNING delivery',
    ...[replay, ended.map(({ delivery }) => delivery as number)],
  )
  const mine = new Set(removed.map(({ delivery }) => delivery))
  for (const { delivery, status } of ended) {
    if (!mine.has(delivery)) continue
    counts.outcomes[status === null ? 'removed' : (deliveryStatuses.decode(status) as 'delivered')] += 1
  }
  await db.run('UPDATE bulk_replays SET counts = $1 WHERE position = $2', JSON.stringify(counts), replay)
}

export function pruneBulkReplays(
  { db }: PostgresContext,
  { mode, endedBefore, limit }: Parameters<Store['pruneBulkReplays']>[0],
): Promise<number> {
  return db.run(
    `DELETE FROM bulk_replays WHERE position IN (
       SELECT position FROM bulk_replays r WHERE mode = $1 AND ended_at < $2
         AND NOT EXISTS (SELECT 1 FROM bulk_replay_items WHERE replay = r.position) LIMIT $3)`,
    ...[modes.encode(mode), endedBefore, limit],
  )
}

function byId(db: Session, scope: ReadScope, id: string): Promise<Row | undefined> {
  const where = new Where().scope('bulk_replays', scope).and('id = ?', id)
  return db.row(`SELECT * FROM bulk_replays ${where.text}`, ...where.values)
}

export function bulkReplayFrom(row: Row): BulkReplayRow {
  return {
    position: row['position'] as number,
    id: row['id'] as string,
    mode: modes.decode(row['mode']),
    tenantId: row['tenant_id'] as string | null,
    status: row['status'] as BulkReplayRow['status'],
    asked: JSON.parse(row['asked'] as string) as BulkReplayRow['asked'],
    counts: JSON.parse(row['counts'] as string) as ReplayCounts,
    cursor: row['cursor'] as number,
    createdAt: row['created_at'] as number,
    updatedAt: row['updated_at'] as number,
    endedAt: row['ended_at'] as number | null,
  }
}
