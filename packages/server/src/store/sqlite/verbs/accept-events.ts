import { createHash } from 'node:crypto'
import type { Warning } from '@runbell/sdk/contract'
import { completePrefix } from '../../../core/render.ts'
import type { AcceptBatch, AcceptItem, AcceptResult } from '../../accept.ts'
import { classesAt, completePrepared } from '../../body.ts'
import { deliveryStatuses, modes } from '../codes.ts'
import type { Database } from '../database.ts'
import { insertAudit } from './audit.ts'
import { requireNode, type SqliteContext } from './context.ts'
import { insertBody } from './insert-body.ts'
import { removeNotice } from './notices.ts'
import { placeOf } from './lanes.ts'
import { stepRun, type RunStep } from './run-lifecycle.ts'

const BRACE = new Uint8Array([0x7d])
const PENDING = deliveryStatuses.encode('pending')

export function acceptEvents(context: SqliteContext, batch: AcceptBatch): AcceptResult[] {
  const { db } = context
  const node = requireNode(db, batch.nodeId)
  const configVersion = db.configVersion()
  return batch.items.map((item) => {
    const known = findKnown(db, item)
    if (known?.kind === 'duplicate') markAnnounced(db, item)
    if (known !== null) {
      removeNotice(db, item.tells)
      return known
    }
    if (item.configVersion !== configVersion) return { kind: 'stale', configVersion }
    const step = stepRun(db, item, batch.runEventBudget, batch.recordedAt)
    if (step.kind === 'refused') return step
    markAnnounced(db, item)
    removeNotice(db, item.tells)
    for (const entry of item.audit ?? []) insertAudit(db, entry)
    return insert(context, item, step, batch.recordedAt, node)
  })
}

/** The answer for an id or idempotency key that is taken: the first answer for the same bytes, a conflict for others. */
function findKnown(db: Database, item: AcceptItem): AcceptResult | null {
  const mode = modes.encode(item.mode)
  const columns = 'event_id, sequence, recorded_at, delivery_count, fingerprint, warnings'
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
    warnings: row['warnings'] === null ? [] : (JSON.parse(row['warnings'] as string) as Warning[]),
  }
}

function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0
}

type Taken = Extract<RunStep, { kind: 'taken' }>

function insert(context: SqliteContext, item: AcceptItem, run: Taken, recordedAt: number, node: number): AcceptResult {
  const { sequence, warnings } = run
  const { position, bodySha256 } = insertEvent(context.db, item, run, recordedAt)
  if (item.idempotencyKey !== null) {
    const mode = modes.encode(item.mode)
    const values = [mode, item.tenantId, item.idempotencyKey, position]
    context.db.prepare('INSERT INTO idempotency_keys VALUES (?, ?, ?, ?)').run(...values)
  }
  const deliveryPositions = insertDeliveries(context, item, { position, run: run.ref, sequence, recordedAt, node })
  return { kind: 'accepted', position, sequence, recordedAt, bodySha256, deliveryPositions, warnings }
}

function insertEvent(
  db: Database,
  item: AcceptItem,
  { ref, sequence, warnings }: Taken,
  recordedAt: number,
): { position: number; bodySha256: Uint8Array } {
  const prefix = Buffer.from(completePrefix(item.envelope, recordedAt, sequence), 'utf8')
  const data = item.source.subarray(item.dataStart, item.dataEnd)
  const bodySha256 = new Uint8Array(createHash('sha256').update(prefix).update(data).update(BRACE).digest())
  const position = db
    .prepare(
      `INSERT INTO events (mode, tenant_id, event_id, type, schema_version, run, sequence, timestamp, recorded_at,
         expires_at, deadline, fingerprint, prefix, source, data_start, data_end, body_sha256, delivery_count, classes,
         warnings)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      modes.encode(item.mode),
      item.tenantId,
      item.eventId,
      item.type,
      item.schemaVersion,
      ref,
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
      item.classes,
      warnings.length === 0 ? null : JSON.stringify(warnings),
    ).lastInsertRowid as number
  return { position, bodySha256 }
}

interface Placed {
  position: number
  run: number | null
  sequence: number | null
  recordedAt: number
  node: number
}

function insertDeliveries(
  { db, endpointRefs }: SqliteContext,
  item: AcceptItem,
  { position, run, sequence, recordedAt, node }: Placed,
): number[] {
  const mode = modes.encode(item.mode)
  const bodies = item.bodies.map((body) => {
    return insertBody(db, position, completePrepared(body, recordedAt, sequence), body.classes)
  })
  const watch = item.type === 'agent.approval.requested' ? 1 : 0
  const deliver = db.prepare(
    `INSERT INTO deliveries (id, mode, tenant_id, event, endpoint, status, attempt_count, cycle_start, due_at, deadline,
       node, started_at, created_at, updated_at, body, classes, watch, lane)
     VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  return item.targets.map(({ endpointId, deliveryId, grant, body }) => {
    const endpoint = endpointRefs.byId(endpointId)
    if (endpoint === null) throw new Error(`endpoint ${endpointId} matched but is missing`)
    const place = placeOf(db, endpoint, run, recordedAt)
    return deliver.run(
      deliveryId,
      mode,
      item.tenantId,
      position,
      endpoint.ref,
      PENDING,
      grant ? 1 : 0,
      grant ? null : endpoint.kind === 'pull' ? position : place.dueAt,
      item.deadline,
      grant ? node : null,
      grant ? recordedAt : null,
      recordedAt,
      recordedAt,
      bodies[body] ?? null,
      classesAt(item, body),
      watch,
      place.lane,
    ).lastInsertRowid as number
  })
}

/**
 * Whoever was told of an end is not told again, also where the telling was known already. One that was replayed meanwhile
 * goes on being watched: its next end is another.
 */
function markAnnounced(db: Database, { announces }: AcceptItem): void {
  if (announces === null) return
  db.prepare('UPDATE deliveries SET watch = 2 WHERE position = ? AND replays = ? AND watch = 1 AND status >= 2').run(
    announces.position,
    announces.replays,
  )
}
