import { joinBody } from '../../body.ts'
import { deliveryStatuses, outcomes } from '../../codes.ts'
import type { PulledRow } from '../../pulls.ts'
import type { Store } from '../../store.ts'
import { takePositions, type PostgresContext } from './context.ts'
import { grantsOf } from './endpoint-ref.ts'

/** `due_at` of such a delivery is its place. */
export async function pullDeliveries(
  { db }: PostgresContext,
  { endpointId, now, limit, maxBytes }: Parameters<Store['pullDeliveries']>[0],
): Promise<{ rows: PulledRow[]; place: number | null }> {
  const endpoint = await db.row('SELECT ref, config FROM endpoints WHERE id = $1', endpointId)
  if (endpoint === undefined) return { rows: [], place: null }
  const found = await db.rows(
    `WITH line AS MATERIALIZED (
       SELECT delivery, due_at FROM queue
       WHERE endpoint = $1 AND due_at IS NOT NULL AND NOT suspect AND (deadline IS NULL OR deadline > $2) AND classes & ~$3::integer = 0
       ORDER BY due_at, delivery LIMIT $4),
     measured AS (
       SELECT line.due_at, d.position, d.event, d.body, sum(coalesce((SELECT octet_length(body) FROM bodies WHERE ref = d.body),
           octet_length(e.prefix) + e.data_end - e.data_start + 1)) OVER (ORDER BY line.due_at, line.delivery) AS bytes,
         row_number() OVER (ORDER BY line.due_at, line.delivery) AS place
       FROM line JOIN deliveries d ON d.position = line.delivery JOIN events e ON e.position = d.event)
     SELECT m.due_at, d.position, d.id, d.attempt_count, e.event_id,
       CASE WHEN d.body IS NULL THEN e.prefix END AS prefix,
       CASE WHEN d.body IS NULL THEN substring(e.source FROM e.data_start + 1 FOR e.data_end - e.data_start) END AS data,
       (SELECT body FROM bodies WHERE ref = d.body) AS own_body
     FROM measured m JOIN deliveries d ON d.position = m.position JOIN events e ON e.position = d.event
     WHERE m.place = 1 OR m.bytes <= $5 ORDER BY m.place`,
    endpoint['ref'] as number,
    now,
    grantsOf(JSON.parse(endpoint['config'] as string) as Parameters<typeof grantsOf>[0]),
    limit,
    maxBytes,
  )
  const rows = found.map((row): PulledRow => ({
    position: row['position'] as number,
    deliveryId: row['id'] as string,
    eventId: row['event_id'] as string,
    number: (row['attempt_count'] as number) + 1,
    body: (row['own_body'] as Uint8Array | null) ?? joinBody(row['prefix'] as Uint8Array, row['data'] as Uint8Array),
  }))
  return { rows, place: (found.at(-1)?.['due_at'] as number | undefined) ?? null }
}

/** Of two that commit the same at once the second finds it gone. */
export async function commitPulled(
  { db }: PostgresContext,
  { endpointId, place, now }: Parameters<Store['commitPulled']>[0],
): Promise<number> {
  return db.run(
    `WITH gone AS (
       DELETE FROM queue WHERE due_at IS NOT NULL AND delivery IN (
         SELECT q.delivery FROM endpoints p JOIN queue q ON q.endpoint = p.ref
         WHERE p.id = $1 AND p.kind = 1 AND q.due_at <= $2 AND q.due_at IS NOT NULL AND NOT q.suspect
         ORDER BY q.due_at, q.delivery FOR UPDATE OF q)
       RETURNING delivery, trigger),
     ended AS (
       UPDATE deliveries SET status = $3, reason = NULL, attempt_count = attempt_count + 1, known_outcomes = known_outcomes + 1,
         last_outcome = $4, updated_at = $5 FROM gone WHERE position = gone.delivery
       RETURNING position, attempt_count, gone.trigger)
     INSERT INTO attempts (delivery, number, trigger, started_at, duration_ms, outcome, request_headers, response_headers, truncated, phases)
     SELECT position, attempt_count, trigger, $5, 0, $4, '[]', '{}', FALSE, '{"dns":null,"connect":null,"tls":null,"wait":null}' FROM ended`,
    ...[endpointId, place, deliveryStatuses.encode('delivered'), outcomes.encode('delivered'), now],
  )
}

/** Gives those of the deliveries that are fetched a place behind all there are. Nothing may be waited for from here to the commit. */
export async function placeLast(context: PostgresContext, deliveries: readonly number[]): Promise<void> {
  const { db } = context
  const pulled = await db.rows(
    `SELECT q.delivery FROM queue q JOIN endpoints p ON p.ref = q.endpoint AND p.kind = 1
     WHERE q.delivery = ANY($1) AND q.due_at IS NOT NULL ORDER BY q.delivery`,
    deliveries,
  )
  if (pulled.length === 0) return
  const first = await takePositions(context, pulled.length)
  await db.run(
    `UPDATE queue q SET due_at = $1::bigint + e.place - 1 FROM unnest($2::bigint[]) WITH ORDINALITY AS e (delivery, place)
     WHERE q.delivery = e.delivery AND q.due_at IS NOT NULL`,
    ...[first, pulled.map(({ delivery }) => delivery as number)],
  )
}
