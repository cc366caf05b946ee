import { deliveryStatuses, modes, outcomes } from '../../codes.ts'
import { joinBody } from '../../body.ts'
import type { Unannounced } from '../../rows.ts'
import type { Store } from '../../store.ts'
import type { Row } from '../session.ts'
import type { PostgresContext } from './context.ts'

export async function findUnannounced(
  { db }: PostgresContext,
  { limit }: Parameters<Store['findUnannounced']>[0],
): Promise<Unannounced[]> {
  const rows = await db.rows(
    `SELECT d.position, d.id, d.tenant_id, d.mode, d.status, d.reason, d.attempt_count, d.replays, d.last_outcome,
       p.id AS endpoint_id, e.event_id, e.prefix, e.source, e.data_start, e.data_end,
       (SELECT run_id FROM runs WHERE ref = e.run) AS run_id
     FROM (SELECT delivery FROM unannounced ORDER BY delivery LIMIT $1) AS u
       JOIN deliveries d ON d.position = u.delivery JOIN events e ON e.position = d.event JOIN endpoints p ON p.ref = d.endpoint
     ORDER BY d.position`,
    limit,
  )
  return rows.map(unannouncedFrom)
}

function unannouncedFrom(row: Row): Unannounced {
  const source = row['source'] as Uint8Array
  const data = source.subarray(row['data_start'] as number, row['data_end'] as number)
  return {
    position: row['position'] as number,
    deliveryId: row['id'] as string,
    endpointId: row['endpoint_id'] as string,
    tenantId: row['tenant_id'] as string,
    mode: modes.decode(row['mode']),
    eventId: row['event_id'] as string,
    runId: row['run_id'] as string | null,
    status: deliveryStatuses.decode(row['status']) as Unannounced['status'],
    reason: row['reason'] as Unannounced['reason'],
    attemptCount: row['attempt_count'] as number,
    replays: row['replays'] as number,
    lastOutcome: row['last_outcome'] === null ? null : outcomes.decode(row['last_outcome']),
    body: joinBody(row['prefix'] as Uint8Array, data),
  }
}
