import { noCounts, type BulkReplayRow, type ReplayCounts, type ReplayedPlace } from '../../bulk-replays.ts'
import type { CursorPage, ReadScope } from '../../rows.ts'
import type { Store } from '../../store.ts'
import { deliveryStatuses, modes } from '../codes.ts'
import type { Database, Row } from '../database.ts'
import type { SqliteContext } from './context.ts'
import { Where, collectPage } from './where.ts'

export function createBulkReplay(
  { db }: SqliteContext,
  { replay, maxRunning }: Parameters<Store['createBulkReplay']>[0],
): BulkReplayRow | null {
  const { id, mode, tenantId, asked, createdAt } = replay
  const running = db
    .prepare(`SELECT count(*) AS count FROM bulk_replays WHERE mode = ? AND tenant_id IS ? AND status = 'running'`)
    .get(modes.encode(mode), tenantId)
  if ((running?.['count'] as number) >= maxRunning) return null
  db.prepare(
    `INSERT INTO bulk_replays (id, mode, tenant_id, status, asked, counts, cursor, created_at, updated_at)
     VALUES (?, ?, ?, 'running', ?, ?, 0, ?, ?)`,
  ).run(id, modes.encode(mode), tenantId, JSON.stringify(asked), JSON.stringify(noCounts()), createdAt, createdAt)
  return byId(db, { mode, tenantId }, id)
}

export function findBulkReplay(
  { db }: SqliteContext,
  { scope, replayId }: Parameters<Store['findBulkReplay']>[0],
): BulkReplayRow | null {
  return byId(db, scope, replayId)
}

export function listBulkReplays(
  { db }: SqliteContext,
  { scope, page }: Parameters<Store['listBulkReplays']>[0],
): CursorPage<BulkReplayRow> {
  const where = new Where().scope('bulk_replays', scope).before('position', page.after)
  const rows = db
    .prepare(`SELECT * FROM bulk_replays ${where.text} ORDER BY position DESC`)
    .iterate(...where.values) as Iterable<Row>
  const found = collectPage(rows, page.limit, () => true)
  return { rows: found.rows.map(bulkReplayFrom), next: found.next }
}

export function cancelBulkReplay(
  { db }: SqliteContext,
  { scope, replayId, now }: Parameters<Store['cancelBulkReplay']>[0],
): BulkReplayRow | null {
  if (byId(db, scope, replayId)?.status !== 'running') return null
  db.prepare(`UPDATE bulk_replays SET status = 'cancelled', updated_at = ?, ended_at = ? WHERE id = ?`).run(
    ...[now, now, replayId],
  )
  return byId(db, scope, replayId)
}

/** Only one process can have the file: whoever else had one is gone. */
export function claimBulkReplays(
  { db }: SqliteContext,
  { nodeId, limit }: Parameters<Store['claimBulkReplays']>[0],
): Awaited<ReturnType<Store['claimBulkReplays']>> {
  const rows = db
    .prepare(`SELECT * FROM bulk_replays WHERE status = 'running' ORDER BY position LIMIT ?`)
    .all(limit) as Row[]
  return rows.map((row) => {
    const taken = row['node_id'] !== nodeId
    const fence = (row['fence'] as number) + (taken ? 1 : 0)
    if (taken) {
      const sql = 'UPDATE bulk_replays SET node_id = ?, fence = ? WHERE position = ?'
      db.prepare(sql).run(nodeId, fence, row['position'] as number)
    }
    return { row: bulkReplayFrom(row), fence }
  })
}

export function settleBulkReplays(
  { db }: SqliteContext,
  { after, limit }: Parameters<Store['settleBulkReplays']>[0],
): { next: ReplayedPlace | null } {
  const items = db
    .prepare(
      `SELECT i.replay, i.delivery, d.status FROM bulk_replay_items i LEFT JOIN deliveries d ON d.position = i.delivery
       WHERE (i.replay, i.delivery) > (?, ?) ORDER BY i.replay, i.delivery LIMIT ?`,
    )
    .all(after?.replay ?? 0, after?.delivery ?? 0, limit) as Row[]
  const ended = items.filter(({ status }) => status === null || deliveryStatuses.decode(status) !== 'pending')
  for (const replay of new Set(ended.map((row) => row['replay'] as number))) {
    const own = ended.filter((row) => row['replay'] === replay)
    countEnds(db, replay, own)
  }
  const last = items.at(-1)
  if (last === undefined || items.length < limit) return { next: null }
  return { next: { replay: last['replay'] as number, delivery: last['delivery'] as number } }
}

function countEnds(db: Database, replay: number, ended: readonly Row[]): void {
  const row = db.prepare('SELECT counts FROM bulk_replays WHERE position = ?').get(replay) as Row
  const counts = JSON.parse(row['counts'] as string) as ReplayCounts
  const remove = db.prepare('DELETE FROM bulk_replay_items WHERE replay = ? AND delivery = ?')
  for (const { delivery, status } of ended) {
    counts.outcomes[status === null ? 'removed' : (deliveryStatuses.decode(status) as 'delivered')] += 1
    remove.run(replay, delivery as number)
  }
  db.prepare('UPDATE bulk_replays SET counts = ? WHERE position = ?').run(JSON.stringify(counts), replay)
}

export function pruneBulkReplays(
  { db }: SqliteContext,
  { mode, endedBefore, limit }: Parameters<Store['pruneBulkReplays']>[0],
): number {
  const sql = `DELETE FROM bulk_replays WHERE position IN (
    SELECT position FROM bulk_replays r WHERE mode = ? AND ended_at < ?
      AND NOT EXISTS (SELECT 1 FROM bulk_replay_items WHERE replay = r.position) LIMIT ?)`
  return Number(db.prepare(sql).run(modes.encode(mode), endedBefore, limit).changes)
}

function byId(db: Database, scope: ReadScope, id: string): BulkReplayRow | null {
  const where = new Where().scope('bulk_replays', scope).and('id = ?', id)
  const row = db.prepare(`SELECT * FROM bulk_replays ${where.text}`).get(...where.values)
  return row === undefined ? null : bulkReplayFrom(row)
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
