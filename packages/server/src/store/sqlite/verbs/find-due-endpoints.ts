import type { Store } from '../../store.ts'
import { endpointKinds, endpointStatuses } from '../codes.ts'
import type { Row } from '../database.ts'
import type { SqliteContext } from './context.ts'

type Input = Parameters<Store['findDueEndpoints']>[0]
type Output = Awaited<ReturnType<Store['findDueEndpoints']>>

/**
 * Walks from one endpoint with waiting deliveries to the next with one index seek each, however many deliveries wait.
 */
export function findDueEndpoints({ db, endpointRefs }: SqliteContext, input: Input): Output {
  const after = input.after === null ? 0 : (endpointRefs.byId(input.after)?.ref ?? 0)
  const rows = db
    .prepare(
      `WITH RECURSIVE waiting(endpoint) AS (
         SELECT min(endpoint) FROM deliveries WHERE due_at IS NOT NULL AND suspect = 0 AND endpoint > ?
         UNION ALL
         SELECT (SELECT min(endpoint) FROM deliveries WHERE due_at IS NOT NULL AND suspect = 0 AND endpoint > w.endpoint)
         FROM waiting w WHERE w.endpoint IS NOT NULL
       )
       SELECT e.id, (SELECT min(due_at) FROM deliveries WHERE endpoint = w.endpoint AND due_at IS NOT NULL AND suspect = 0) AS due
       FROM waiting w JOIN endpoints e ON e.ref = w.endpoint
       WHERE e.status = ? AND e.kind <> ? AND e.deleted_at IS NULL
       LIMIT ?`,
    )
    .all(after, endpointStatuses.encode('enabled'), endpointKinds.encode('pull'), input.limit) as Row[]
  const due = rows.map((row) => ({ endpointId: row['id'] as string, nextDue: row['due'] as number }))
  const suspect = db
    .prepare(
      `SELECT 1 FROM deliveries d JOIN endpoints e ON e.ref = d.endpoint
       WHERE d.due_at IS NOT NULL AND d.suspect = 1 AND e.status = ? AND e.deleted_at IS NULL LIMIT 1`,
    )
    .get(endpointStatuses.encode('enabled'))
  return { due, suspects: suspect !== undefined }
}
