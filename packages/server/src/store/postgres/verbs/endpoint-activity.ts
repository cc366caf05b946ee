import { outcomes } from '../../codes.ts'
import type { Store } from '../../store.ts'
import type { PostgresContext } from './context.ts'
import { Where } from './where.ts'

export async function readActivity(
  { db }: PostgresContext,
  { endpointId, since, deliveries, pendingLimit }: Parameters<Store['readActivity']>[0],
): Promise<Awaited<ReturnType<Store['readActivity']>>> {
  const where = new Where().and('id = ?', endpointId)
  const endpoint = (await db.row(`SELECT ref FROM endpoints ${where.text}`, ...where.values))?.['ref']
  if (endpoint === undefined) return { pending: 0, oldestPendingAt: null, attempts: [] }
  const waiting = await db.row(
    `SELECT count(*)::integer AS pending, min(d.created_at) AS oldest FROM (
       SELECT delivery FROM queue WHERE endpoint = $1 AND due_at IS NOT NULL AND NOT suspect ORDER BY due_at LIMIT $2
     ) AS q JOIN deliveries d ON d.position = q.delivery`,
    ...[endpoint as number, pendingLimit],
  )
  // Not with `=`: see `Where.newest`.
  const attempts = await db.rows(
    `SELECT a.outcome, a.duration_ms FROM (
       SELECT position FROM deliveries WHERE endpoint >= $1 AND endpoint <= $1 ORDER BY endpoint DESC, position DESC LIMIT $2
     ) AS d JOIN attempts a ON a.delivery = d.position WHERE a.started_at >= $3`,
    ...[endpoint as number, deliveries, since],
  )
  return {
    pending: waiting?.['pending'] as number,
    oldestPendingAt: waiting?.['oldest'] as number | null,
    attempts: attempts.map((row) => ({
      outcome: outcomes.decode(row['outcome']),
      durationMs: row['duration_ms'] as number | null,
    })),
  }
}
