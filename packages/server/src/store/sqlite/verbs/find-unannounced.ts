import type { Unannounced } from '../../rows.ts'
import type { Store } from '../../store.ts'
import { joinBody } from '../../body.ts'
import { deliveryStatuses, modes, outcomes } from '../codes.ts'
import type { Row } from '../database.ts'
import type { SqliteContext } from './context.ts'

export function findUnannounced({ db }: SqliteContext, input: Parameters<Store['findUnannounced']>[0]): Unannounced[] {
  const rows = db
    .prepare(
      `SELECT d.position, d.id, d.tenant_id, d.mode, d.status, d.reason, d.attempt_count, d.replays, d.last_outcome,
         p.id AS endpoint_id, e.event_id, e.prefix, e.source, e.data_start, e.data_end,
         (SELECT run_id FROM runs WHERE ref = e.run) AS run_id
       FROM deliveries d INDEXED BY deliveries_unannounced
         JOIN events e ON e.position = d.event JOIN endpoints p ON p.ref = d.endpoint
       WHERE d.watch = 1 AND d.status >= 2 ORDER BY d.position LIMIT ?`,
    )
    .all(input.limit) as Row[]
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
