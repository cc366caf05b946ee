import { createHash } from 'node:crypto'
import { completePrefix } from '../../../core/render.ts'
import type { AcceptBatch, AcceptItem, AcceptResult } from '../../accept.ts'
import { deliveryStatuses, modes } from '../codes.ts'
import type { Database, Row } from '../database.ts'
import { requireNode, type SqliteContext } from './context.ts'

const BRACE = new Uint8Array([0x7d])
const PENDING = deliveryStatuses.encode('pending')

export function acceptEvents(context: SqliteContext, batch: AcceptBatch): AcceptResult[] {
  const { db } = context
  const node = requireNode(db, batch.nodeId)
  const configVersion = db.configVersion()
  return batch.items.map((item) => {
    const known = findKnown(db, item)
    if (known !== null) return known
    if (item.configVersion !== configVersion) return { kind: 'stale', configVersion }
    return insert(context, item, batch.recordedAt, node)
  })
}

/** The answer for an id or idempotency key that is taken: the first answer for the same bytes, a conflict for others. */
function findKnown(db: Database, item: AcceptItem): AcceptResult | null {
  const mode = modes.encode(item.mode)
  const columns = 'event_id, sequence, recorded_at, delivery_count, fingerprint'
  const row =
    item.idempotencyKey === null
      ? db
          .prepare(`SELECT ${columns} FROM events WHERE event_id = ? AND tenant_id = ? AND mode = ?`)
          .get(item.eventId, item.tenantId, mode)
      : db
          .prepare(
            `SELECT ${columns} FROM idempotency_keys k JOIN events e ON e.position = k.event
             WHERE k.mode = ? AND k.tenant_id = ? AND k.key = ?`,
          )
          .get(mode, item.tenantId, item.idempotencyKey)
  if (row === undefined) return null
  const eventId = row['event_id'] as string
  if (!equalBytes(row['fingerprint'] as Uint8Array, item.fingerprint)) return { kind: 'conflict', eventId }
  return {
    kind: 'duplicate',
    eventId,
    sequence: row['sequence'] as number | null,
    recordedAt: row['recorded_at'] as number,
    deliveries: row['delivery_count'] as number,
  }
}

function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0
}

function insert({ db, endpointRefs }: SqliteContext, item: AcceptItem, recordedAt: number, node: number): AcceptResult {
  const mode = modes.encode(item.mode)
  const run = item.runId === null ? null : nextInRun(db, mode, item, recordedAt)
  const sequence = run?.sequence ?? null
  const prefix = Buffer.from(completePrefix(item.envelope, recordedAt, sequence), 'utf8')
  const data = item.source.subarray(item.dataStart, item.dataEnd)
  const bodySha256 = new Uint8Array(createHash('sha256').update(prefix).update(data).update(BRACE).digest())
  const position = db
    .prepare(
      `INSERT INTO events (mode, tenant_id, event_id, type, schema_version, run, sequence, timestamp, recorded_at,
         expires_at, deadline, fingerprint, prefix, source, data_start, data_end, body_sha256, delivery_count)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      mode,
      item.tenantId,
      item.eventId,
      item.type,
      item.schemaVersion,
      run?.ref ?? null,
      sequence,
      item.timestamp,
      recordedAt,
      item.expiresAt,
      item.deadline,
      item.fingerprint,
      prefix,
      item.source,
      item.dataStart,
      item.dataEnd,
      bodySha256,
      item.targets.length,
    ).lastInsertRowid as number
  if (item.idempotencyKey !== null) {
    db.prepare('INSERT INTO idempotency_keys VALUES (?, ?, ?, ?)').run(
      mode,
      item.tenantId,
      item.idempotencyKey,
      position,
    )
  }
  const deliver = db.prepare(
    `INSERT INTO deliveries (id, mode, tenant_id, event, endpoint, status, attempt_count, cycle_start, due_at, deadline,
       node, started_at, created_at, updated_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?)`,
  )
  const deliveryPositions = item.targets.map(({ endpointId, deliveryId, grant }) => {
    const endpoint = endpointRefs.byId(endpointId)
    if (endpoint === null) throw new Error(`endpoint ${endpointId} matched but is missing`)
    return deliver.run(
      deliveryId,
      mode,
      item.tenantId,
      position,
      endpoint.ref,
      PENDING,
      grant ? 1 : 0,
      grant ? null : recordedAt,
      item.deadline,
      grant ? node : null,
      grant ? recordedAt : null,
      recordedAt,
      recordedAt,
    ).lastInsertRowid as number
  })
  return { kind: 'accepted', position, sequence, recordedAt, bodySha256, deliveryPositions }
}

/** Counts up the run's sequence; the first event of a run makes it. */
function nextInRun(db: Database, mode: number, item: AcceptItem, now: number): { ref: number; sequence: number } {
  const row = db
    .prepare(
      `INSERT INTO runs (mode, tenant_id, run_id, last_sequence, created_at, updated_at) VALUES (?, ?, ?, 1, ?, ?)
       ON CONFLICT (mode, tenant_id, run_id)
       DO UPDATE SET last_sequence = last_sequence + 1, updated_at = excluded.updated_at
       RETURNING ref, last_sequence`,
    )
    .get(mode, item.tenantId, item.runId, now, now) as Row
  return { ref: row['ref'] as number, sequence: row['last_sequence'] as number }
}
