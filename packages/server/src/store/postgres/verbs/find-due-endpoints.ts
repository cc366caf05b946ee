import { endpointKinds, endpointStatuses } from '../../codes.ts'
import type { Store } from '../../store.ts'
import type { PostgresContext } from './context.ts'

type Input = Parameters<Store['findDueEndpoints']>[0]
type Output = Awaited<ReturnType<Store['findDueEndpoints']>>

const ENABLED = endpointStatuses.encode('enabled')

/** Walks from one endpoint with waiting deliveries to the next with one index seek each, however many deliveries wait. */
export async function findDueEndpoints({ db }: PostgresContext, { after, limit }: Input): Promise<Output> {
  const [rows, suspect] = await Promise.all([
    db.rows(
      `WITH RECURSIVE waiting (endpoint) AS (
         (SELECT endpoint FROM queue
          WHERE due_at IS NOT NULL AND NOT suspect AND endpoint > coalesce((SELECT ref FROM endpoints WHERE id = $1), 0)
          ORDER BY endpoint LIMIT 1)
         UNION ALL
         SELECT next.endpoint FROM waiting, LATERAL (
           SELECT endpoint FROM queue WHERE due_at IS NOT NULL AND NOT suspect AND endpoint > waiting.endpoint
           ORDER BY endpoint LIMIT 1) AS next
       )
       SELECT p.id,
         CASE WHEN EXISTS (SELECT 1 FROM turns WHERE turns.endpoint = waiting.endpoint) THEN 0 ELSE first.due_at END AS due_at
       FROM waiting JOIN endpoints p ON p.ref = waiting.endpoint, LATERAL (
         SELECT due_at FROM queue WHERE endpoint = waiting.endpoint AND due_at IS NOT NULL AND NOT suspect
         ORDER BY due_at LIMIT 1) AS first
       WHERE p.status = $2 AND p.kind <> $4 AND p.deleted_at IS NULL LIMIT $3`,
      ...[after, ENABLED, limit, endpointKinds.encode('pull')],
    ),
    db.row(
      `SELECT 1 FROM queue q JOIN endpoints p ON p.ref = q.endpoint
       WHERE q.due_at IS NOT NULL AND q.suspect AND p.status = $1 AND p.deleted_at IS NULL LIMIT 1`,
      ENABLED,
    ),
  ])
  const due = rows.map((row) => ({ endpointId: row['id'] as string, nextDue: row['due_at'] as number }))
  return { due, suspects: suspect !== undefined }
}
