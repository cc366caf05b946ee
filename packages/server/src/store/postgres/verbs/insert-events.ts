import { createHash } from 'node:crypto'
import type { Warning } from '@runbell/sdk/contract'
import { completePrefix } from '../../../core/render.ts'
import type { AcceptItem } from '../../accept.ts'
import { classesAt, completePrepared } from '../../body.ts'
import { deliveryStatuses, modes } from '../../codes.ts'
import { NO_TURN } from '../../turns.ts'
import type { Session } from '../session.ts'
import type { PostgresContext } from './context.ts'
import { requireEndpoint, type EndpointRef } from './endpoint-ref.ts'
import { placesOf } from './lanes.ts'
import { PackedBytes } from './packed-bytes.ts'

const PENDING = deliveryStatuses.encode('pending')
/** How a delivery begins: in flight, due now, or in the line of an endpoint that is fetched from, by the position of its event. */
const [WAITS, GRANTED, PULLED] = [0, 1, 2] as const
const BRACE = new Uint8Array([0x7d])

/** An item that is accepted, with its place in its run. */
export interface Taken {
  item: AcceptItem
  run: number | null
  sequence: number | null
  warnings: Warning[]
}

interface Insertion {
  taken: readonly Taken[]
  recordedAt: number
  /** Who holds the granted attempts. */
  node: number
  endpoints: ReadonlyMap<string, EndpointRef>
}

export interface Inserted {
  /** Of the first event; those of the others follow, and after them those of all deliveries. */
  position: number
  bodySha256: Uint8Array[]
}

/** One statement: what is inserted, from arrays; a number for each event or delivery tells which one it is. */
const INSERT = `WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock($1, $2)),
  -- No number is drawn before the lock is held; from here to the commit nothing is waited for.
  base AS MATERIALIZED (
    SELECT min(position) AS first FROM (SELECT nextval('positions') AS position FROM held, generate_series(1, $3)) AS drawn),
  event AS MATERIALIZED (
    SELECT base.first + e.place - 1 AS position, e.* FROM base, unnest($7::smallint[], $8::text[], $9::text[], $10::text[],
      $11::integer[], $12::bigint[], $13::integer[], $14::bigint[], $15::bigint[], $16::bigint[], $17::integer[], $18::integer[],
      $19::integer[], $20::integer[], $21::integer[], $22::integer[], $23::integer[], $24::text[], $25::text[])
      WITH ORDINALITY AS e (mode, tenant_id, event_id, type, schema_version, run, sequence, timestamp, expires_at, deadline, bytes_at,
        fingerprint_length, prefix_length, source_length, data_start, data_end, classes, warnings, idempotency_key, place)),
  delivery AS MATERIALIZED (
    SELECT base.first + $4 + d.place - 1 AS position, event.position AS event, event.mode, event.tenant_id, event.deadline, d.*
    FROM base, unnest($26::text[], $27::integer[], $28::bigint[], $29::bigint[], $30::integer[], $31::smallint[], $32::smallint[],
      $40::bigint[], $41::boolean[])
      WITH ORDINALITY AS d (id, item, endpoint, body, classes, begins, watch, lane, waits, place)
    JOIN event ON event.place = d.item),
  events_in AS (
    INSERT INTO events (position, mode, tenant_id, event_id, type, schema_version, run, sequence, timestamp, recorded_at, expires_at,
      deadline, fingerprint, body_sha256, prefix, source, data_start, data_end, delivery_count, classes, warnings)
    SELECT e.position, e.mode, e.tenant_id, e.event_id, e.type, e.schema_version, e.run, e.sequence, e.timestamp, $5, e.expires_at,
      e.deadline, substring($33::bytea FROM e.bytes_at FOR e.fingerprint_length),
      substring($33 FROM e.bytes_at + e.fingerprint_length FOR 32),
      substring($33 FROM e.bytes_at + e.fingerprint_length + 32 FOR e.prefix_length),
      substring($33 FROM e.bytes_at + e.fingerprint_length + 32 + e.prefix_length FOR e.source_length),
      e.data_start, e.data_end, counted.amount, e.classes, e.warnings
    FROM event e JOIN unnest($34::integer[]) WITH ORDINALITY AS counted (amount, place) USING (place) ORDER BY e.place),
  keys_in AS (
    INSERT INTO idempotency_keys (mode, tenant_id, key, event)
    SELECT mode, tenant_id, idempotency_key, position FROM event WHERE idempotency_key IS NOT NULL),
  deliveries_in AS (
    INSERT INTO deliveries (position, id, mode, tenant_id, event, endpoint, body, classes, deadline, status, attempt_count, cycle_start,
      watch, created_at, updated_at)
    SELECT position, id, mode, tenant_id, event, endpoint, body, classes, deadline, ${PENDING}, CASE WHEN begins = ${GRANTED} THEN 1 ELSE 0 END, 1,
      watch, $5, $5 FROM delivery ORDER BY place),
  queue_in AS (
    INSERT INTO queue (delivery, endpoint, mode, tenant_id, classes, deadline, due_at, node, started_at, lane)
    SELECT position, endpoint, mode, tenant_id, classes, deadline,
      CASE WHEN waits THEN ${NO_TURN} WHEN begins = ${WAITS} THEN $5::bigint WHEN begins = ${PULLED} THEN event END,
      CASE WHEN begins = ${GRANTED} THEN $6::bigint END, CASE WHEN begins = ${GRANTED} THEN $5::bigint END, lane
    FROM delivery ORDER BY place),
  bodies_in AS (
    INSERT INTO bodies (ref, event, body, sha256, classes)
    SELECT b.ref, event.position, substring($33 FROM b.bytes_at + 32 FOR b.length), substring($33 FROM b.bytes_at FOR 32), b.classes
    FROM unnest($35::bigint[], $36::integer[], $37::integer[], $38::integer[], $39::integer[]) AS b (ref, item, bytes_at, length, classes)
    JOIN event ON event.place = b.item)
  SELECT first FROM base`

/** Inserts what was taken, with positions in the order of commits. The last thing before the commit. */
export async function insertEvents({ db, lock }: PostgresContext, insertion: Insertion): Promise<Inserted> {
  const { taken, recordedAt, node, endpoints } = insertion
  const bytes = new PackedBytes()
  const bodies = await packBodies(db, taken, bytes, recordedAt)
  const events = taken.map((one) => packEvent(one, bytes, recordedAt))
  const deliveries = deliveriesOf(taken, endpoints, bodies.refs)
  const places = await placesOf(db, deliveries)
  const row = await db.row(
    INSERT,
    ...lock('positions'),
    events.length + deliveries.length,
    events.length,
    recordedAt,
    node,
    ...eventColumns(taken, events),
    deliveries.map(({ id }) => id),
    deliveries.map(({ item }) => item),
    deliveries.map(({ endpoint }) => endpoint.ref),
    deliveries.map(({ body }) => body),
    deliveries.map(({ classes }) => classes),
    deliveries.map(({ begins }) => begins),
    deliveries.map(({ watch }) => watch),
    bytes.bytes,
    taken.map(({ item }) => item.targets.length),
    bodies.rows.map(({ ref }) => ref),
    bodies.rows.map(({ item }) => item),
    bodies.rows.map(({ at }) => at),
    bodies.rows.map(({ length }) => length),
    bodies.rows.map(({ classes }) => classes),
    places.map(({ lane }) => lane),
    places.map(({ waits }) => waits),
  )
  return { position: row?.['first'] as number, bodySha256: events.map(({ sha256 }) => sha256) }
}

interface PackedEvent {
  at: number
  prefixLength: number
  sha256: Uint8Array
}

/** Fingerprint, hash, prefix and source, one after another. */
function packEvent({ item, sequence }: Taken, bytes: PackedBytes, recordedAt: number): PackedEvent {
  const prefix = Buffer.from(completePrefix(item.envelope, recordedAt, sequence), 'utf8')
  const data = item.source.subarray(item.dataStart, item.dataEnd)
  const sha256 = new Uint8Array(createHash('sha256').update(prefix).update(data).update(BRACE).digest())
  const at = bytes.add(item.fingerprint)
  for (const part of [sha256, prefix, item.source]) bytes.add(part)
  return { at, prefixLength: prefix.length, sha256 }
}

function eventColumns(taken: readonly Taken[], events: readonly PackedEvent[]) {
  return [
    taken.map(({ item }) => modes.encode(item.mode)),
    taken.map(({ item }) => item.tenantId),
    taken.map(({ item }) => item.eventId),
    taken.map(({ item }) => item.type),
    taken.map(({ item }) => item.schemaVersion),
    taken.map(({ run }) => run),
    taken.map(({ sequence }) => sequence),
    taken.map(({ item }) => item.timestamp),
    taken.map(({ item }) => item.expiresAt),
    taken.map(({ item }) => item.deadline),
    events.map(({ at }) => at),
    taken.map(({ item }) => item.fingerprint.length),
    events.map(({ prefixLength }) => prefixLength),
    taken.map(({ item }) => item.source.length),
    taken.map(({ item }) => item.dataStart),
    taken.map(({ item }) => item.dataEnd),
    taken.map(({ item }) => item.classes),
    taken.map(({ warnings }) => (warnings.length === 0 ? null : JSON.stringify(warnings))),
    taken.map(({ item }) => item.idempotencyKey),
  ] as const
}

interface BodyRow {
  ref: number
  /** Its event's number, from 1. */
  item: number
  at: number
  length: number
  classes: number
}

/** The bodies that are not the uncut one, and their references: of each item, in the order of its `bodies`. */
async function packBodies(
  db: Session,
  taken: readonly Taken[],
  bytes: PackedBytes,
  recordedAt: number,
): Promise<{ rows: BodyRow[]; refs: number[][] }> {
  const count = taken.reduce((sum, { item }) => sum + item.bodies.length, 0)
  if (count === 0) return { rows: [], refs: [] }
  const drawn = await db.rows(`SELECT nextval('bodies_ref_seq') AS ref FROM generate_series(1, $1)`, count)
  const rows: BodyRow[] = []
  const refs = taken.map(({ item, sequence }, index) =>
    item.bodies.map((prepared) => {
      const body = completePrepared(prepared, recordedAt, sequence)
      const ref = drawn[rows.length]?.['ref'] as number
      const at = bytes.add(createHash('sha256').update(body).digest())
      bytes.add(body)
      rows.push({ ref, item: index + 1, at, length: body.length, classes: prepared.classes })
      return ref
    }),
  )
  return { rows, refs }
}

function deliveriesOf(
  taken: readonly Taken[],
  endpoints: ReadonlyMap<string, EndpointRef>,
  bodies: readonly (readonly number[])[],
) {
  const byRef = { get: (id: unknown) => endpoints.get(id as string) } as ReadonlyMap<number, EndpointRef>
  return taken.flatMap(({ item, run }, index) => {
    const watch = item.type === 'agent.approval.requested' ? 1 : 0
    return item.targets.map(({ deliveryId, endpointId, grant, body }) => ({
      ...{ id: deliveryId, item: index + 1, watch },
      ...begin(requireEndpoint(byRef, endpointId), grant),
      run,
      body: bodies[index]?.[body] ?? null,
      classes: classesAt(item, body),
    }))
  })
}

function begin(endpoint: EndpointRef, grant: boolean): { endpoint: EndpointRef; begins: number } {
  return { endpoint, begins: grant ? GRANTED : endpoint.kind === 'pull' ? PULLED : WAITS }
}
