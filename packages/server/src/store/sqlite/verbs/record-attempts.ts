import type { DeliveryReason, DeliveryStatus } from '@runbell/sdk/contract'
import type { AttemptRecord, EndpointEffect, RecordResult } from '../../rows.ts'
import type { Store } from '../../store.ts'
import { deliveryStatuses, endpointStatuses, modes, outcomes, triggers } from '../codes.ts'
import type { Database, Row } from '../database.ts'
import { insertAudit } from './audit.ts'
import { isBeyond, nodeRef, type SqliteContext } from './context.ts'
import { isErased } from './erase-event.ts'
import { noteDeadLetter, noteDisabled, noteRecovered } from './notices.ts'
import { insertAttempt } from './insert-attempt.ts'

type Input = Parameters<Store['recordAttempts']>[0]
type Output = Awaited<ReturnType<Store['recordAttempts']>>

/** Of an answer that may echo what has been erased. */
const NOTHING_KEPT = { excerpt: null, responseHeaders: {} }
const PENDING = deliveryStatuses.encode('pending')
const DEAD_LETTERED = deliveryStatuses.encode('dead_lettered')

export function recordAttempts(context: SqliteContext, input: Input): Output {
  const node = nodeRef(context.db, input.nodeId)
  const results = input.records.map((record) => recordOne(context, record, node, input.now))
  return { results, configVersion: context.db.configVersion() }
}

function recordOne(context: SqliteContext, record: AttemptRecord, node: number | null, now: number): RecordResult {
  const { db } = context
  const row = db
    .prepare('SELECT node, attempt_count, status, endpoint, classes FROM deliveries WHERE position = ?')
    .get(record.position) as Row | undefined
  const fenced = node === null || row?.['node'] !== node || row['attempt_count'] !== record.number
  if (fenced) return 'stale'
  // Only what is not pending any more can have been erased.
  const kept = row['status'] === PENDING || !isErased(context, record.position) ? {} : NOTHING_KEPT
  insertAttempt(db, {
    ...record,
    ...kept,
    delivery: record.position,
    durationMs: record.durationMs,
    outcome: outcomes.encode(record.outcome),
    trigger: triggers.encode(record.trigger),
  })
  const endpoint = row['endpoint'] as number
  const next = afterVerdict(context, record, row)
  db.prepare(
    `UPDATE deliveries SET status = ?, reason = CASE WHEN status = ? THEN ? ELSE reason END, due_at = ?, node = NULL,
       started_at = NULL, known_outcomes = known_outcomes + 1, trigger = 0, suspect = 0, crashes_alone = 0,
       last_outcome = ?, updated_at = ?
     WHERE position = ?`,
  ).run(next.status, PENDING, next.reason, next.dueAt, outcomes.encode(record.outcome), now, record.position)
  if (next.status === DEAD_LETTERED && row['status'] === PENDING) noteDeadLetter(db, record.position)
  if (record.endpointEffect !== null) applyEffect(context, endpoint, record.endpointEffect, now)
  return 'recorded'
}

function afterVerdict(
  { endpointRefs }: SqliteContext,
  { verdict }: AttemptRecord,
  row: Row,
): { status: number; reason: DeliveryReason | null; dueAt: number | null } {
  const status = row['status'] as number
  // It was ended while the attempt was in flight: that stands, the attempt is kept as what happened.
  if (status !== PENDING) return { status, reason: null, dueAt: null }
  const ended = (as: DeliveryStatus, reason: DeliveryReason | null) => ({
    status: deliveryStatuses.encode(as),
    reason,
    dueAt: null,
  })
  if (verdict.kind === 'delivered') return ended('delivered', null)
  if (verdict.kind === 'dead_letter') return ended('dead_lettered', verdict.reason)
  const { entry } = endpointRefs.byRef(row['endpoint'] as number)
  if (entry.deleted) return ended('cancelled', 'endpoint_deleted')
  // Its grants were narrowed while the attempt was in flight.
  if (isBeyond(row, entry)) return ended('cancelled', 'policy_changed')
  return { status: PENDING, reason: null, dueAt: verdict.at }
}

function applyEffect({ db, endpointRefs }: SqliteContext, endpoint: number, effect: EndpointEffect, now: number): void {
  if (effect.kind === 'failing_since') {
    db.prepare('UPDATE endpoints SET failing_since = ? WHERE ref = ? AND failing_since IS NULL').run(
      effect.at,
      endpoint,
    )
  } else if (effect.kind === 'recovered') {
    noteRecovered(db, endpoint, now)
    db.prepare('UPDATE endpoints SET failing_since = NULL WHERE ref = ?').run(endpoint)
  } else {
    disable(db, endpoint, effect.reason, now)
    endpointRefs.clear()
  }
}

function disable(db: Database, endpoint: number, reason: string, now: number): void {
  const disabled = endpointStatuses.encode('disabled')
  const { changes } = db
    .prepare(
      `UPDATE endpoints SET status = ?, disabled_reason = ?, disabled_at = ?, updated_at = ?
       WHERE ref = ? AND status <> ? AND deleted_at IS NULL`,
    )
    .run(disabled, reason, now, now, endpoint, disabled)
  if (changes === 0) return
  db.bumpConfigVersion()
  noteDisabled(db, endpoint, reason, now)
  const { id, tenant_id, mode } = db
    .prepare('SELECT id, tenant_id, mode FROM endpoints WHERE ref = ?')
    .get(endpoint) as Row
  insertAudit(db, {
    ...{ mode: modes.decode(mode), tenantId: tenant_id as string, at: now, actor: 'system' },
    ...{ action: 'endpoint.disabled', target: id as string, detail: { reason }, requestId: null },
  })
}
