import type { Store } from '../../store.ts'
import { outcomes } from '../codes.ts'
import type { Row } from '../database.ts'
import type { SqliteContext } from './context.ts'

export function readActivity(
  { db }: SqliteContext,
  { endpointId, since, deliveries, pendingLimit }: Parameters<Store['readActivity']>[0],
): Awaited<ReturnType<Store['readActivity']>> {
  const endpoint = db.prepare('SELECT ref FROM endpoints WHERE id = ?').get(endpointId)?.['ref'] as number | undefined
  if (endpoint === undefined) return { pending: 0, oldestPendingAt: null, attempts: [] }
  const waiting = db
    .prepare(
      `SELECT count(*) AS pending, min(created_at) AS oldest FROM (
         SELECT created_at FROM deliveries INDEXED BY deliveries_due
         WHERE endpoint = ? AND due_at IS NOT NULL AND suspect = 0 ORDER BY due_at LIMIT ?)`,
    )
    .get(endpoint, pendingLimit) as Row
  const attempts = db
    .prepare(
      `SELECT a.outcome, a.duration_ms FROM (
         SELECT position FROM deliveries INDEXED BY deliveries_endpoint WHERE endpoint = ? ORDER BY position DESC LIMIT ?
       ) d JOIN attempts a ON a.delivery = d.position WHERE a.started_at >= ?`,
    )
    .all(endpoint, deliveries, since) as Row[]
  return {
    pending: waiting['pending'] as number,
    oldestPendingAt: waiting['oldest'] as number | null,
    attempts: attempts.map((row) => ({
      outcome: outcomes.decode(row['outcome']),
      durationMs: row['duration_ms'] as number | null,
    })),
  }
}
