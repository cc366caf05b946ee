import { joinBody } from '../../body.ts'
import type { PulledRow } from '../../pulls.ts'
import type { EndpointRow } from '../../rows.ts'
import type { Store } from '../../store.ts'
import { deliveryStatuses, outcomes } from '../codes.ts'
import type { Database, Row } from '../database.ts'
import { grantsOf, type SqliteContext } from './context.ts'

const SELECT = `SELECT d.position, d.id, d.due_at, d.attempt_count, d.classes, e.event_id, e.prefix, e.source, e.data_start,
    e.data_end, (SELECT body FROM bodies WHERE ref = d.body) AS own_body
  FROM deliveries d INDEXED BY deliveries_due JOIN events e ON e.position = d.event`

/** `due_at` of such a delivery is its place. */
export function pullDeliveries(
  { db }: SqliteContext,
  { endpointId, now, limit, maxBytes }: Parameters<Store['pullDeliveries']>[0],
): { rows: PulledRow[]; place: number | null } {
  // Read anew: it runs beside the writer, who alone knows when what is kept of endpoints is old.
  const endpoint = db.prepare('SELECT ref, config FROM endpoints WHERE id = ?').get(endpointId)
  if (endpoint === undefined) return { rows: [], place: null }
  const grants = grantsOf(JSON.parse(endpoint['config'] as string) as Pick<EndpointRow, 'dataClasses'>)
  const found = db
    .prepare(
      `${SELECT} WHERE d.endpoint = ? AND d.due_at IS NOT NULL AND d.suspect = 0
         AND (d.deadline IS NULL OR d.deadline > ?) AND d.classes & ~? = 0
       ORDER BY d.due_at, d.position LIMIT ?`,
    )
    .iterate(endpoint['ref'] as number, now, grants, limit) as Iterable<Row>
  const rows: PulledRow[] = []
  let [place, bytes]: [number | null, number] = [null, 0]
  for (const row of found) {
    const body = bodyOf(row)
    bytes += body.length
    if (rows.length > 0 && bytes > maxBytes) break
    place = row['due_at'] as number
    rows.push({
      position: row['position'] as number,
      deliveryId: row['id'] as string,
      eventId: row['event_id'] as string,
      number: (row['attempt_count'] as number) + 1,
      body,
    })
  }
  return { rows, place }
}

function bodyOf(row: Row): Uint8Array {
  const own = row['own_body'] as Uint8Array | null
  if (own !== null) return own
  const source = row['source'] as Uint8Array
  return joinBody(row['prefix'] as Uint8Array, source.subarray(row['data_start'] as number, row['data_end'] as number))
}

const NO_PHASES = '{"dns":null,"connect":null,"tls":null,"wait":null}'

export function commitPulled(
  { db, endpointRefs }: SqliteContext,
  { endpointId, place, now }: Parameters<Store['commitPulled']>[0],
): number {
  const endpoint = endpointRefs.byId(endpointId)
  if (endpoint === null || endpoint.kind !== 'pull') return 0
  const delivered = outcomes.encode('delivered')
  const upTo = 'endpoint = ? AND due_at <= ? AND due_at IS NOT NULL AND suspect = 0'
  db.prepare(
    `INSERT INTO attempts (delivery, number, trigger, started_at, duration_ms, outcome, status_code, request_headers,
       response_headers, excerpt, truncated, phases)
     SELECT position, attempt_count + 1, trigger, ?, 0, ?, NULL, '[]', '{}', NULL, 0, ?
     FROM deliveries INDEXED BY deliveries_due WHERE ${upTo}`,
  ).run(now, delivered, NO_PHASES, endpoint.ref, place)
  const { changes } = db
    .prepare(
      `UPDATE deliveries INDEXED BY deliveries_due SET status = ?, reason = NULL, due_at = NULL, attempt_count = attempt_count + 1,
         known_outcomes = known_outcomes + 1, trigger = 0, last_outcome = ?, updated_at = ? WHERE ${upTo}`,
    )
    .run(deliveryStatuses.encode('delivered'), delivered, now, endpoint.ref, place)
  return Number(changes)
}

/**
 * A place behind all there are, for one that comes again. It is taken from the positions of events, which places are: the next event's
 * is behind it.
 */
export function lastPlace(db: Database): number {
  const row = db.prepare(`UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'events' RETURNING seq`).get() as Row
  return row['seq'] as number
}

/** When a delivery that is made or reopened is due: now, or when it is fetched, by its place. */
export function dueAt(db: Database, endpoint: number, now: number): number {
  const isPull = db.prepare('SELECT 1 FROM endpoints WHERE ref = ? AND kind = 1').get(endpoint) !== undefined
  return isPull ? lastPlace(db) : now
}
