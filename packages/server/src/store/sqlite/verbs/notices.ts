import { isRecoveryTold } from '../../../core/endpoint-health.ts'
import type { FailingEndpoint, Notice } from '../../notices.ts'
import type { Store } from '../../store.ts'
import { endpointStatuses, modes, outcomes } from '../codes.ts'
import type { Database, Row } from '../database.ts'
import type { SqliteContext } from './context.ts'

const [ENABLED, DISABLED] = [endpointStatuses.encode('enabled'), endpointStatuses.encode('disabled')]

/** Whether an endpoint that gets events names service events, for the tenant of the endpoint `p`. */
const WATCHED = `EXISTS (SELECT 1 FROM endpoints w WHERE w.mode = p.mode AND w.tenant_id IN (p.tenant_id, '*')
  AND instr(w.config, '"runbell.') > 0 AND w.deleted_at IS NULL AND w.status <> ${DISABLED})`

/** Of a delivery that has become a dead letter in this transaction; none of a service event's. */
export function noteDeadLetter(db: Database, position: number): void {
  db.prepare(
    `INSERT INTO notices (kind, mode, tenant_id, endpoint_id, at, reason, delivery_id, event_id, event_type, run_id,
       attempt_count, replays, last_outcome)
     SELECT 'dead_lettered', p.mode, p.tenant_id, p.id, d.updated_at, d.reason, d.id, e.event_id, e.type,
       (SELECT run_id FROM runs WHERE ref = e.run), d.attempt_count, d.replays, d.last_outcome
     FROM deliveries d CROSS JOIN endpoints p ON p.ref = d.endpoint CROSS JOIN events e ON e.position = d.event
     WHERE d.position = ? AND substr(e.type, 1, 8) <> 'runbell.' AND ${WATCHED}`,
  ).run(position)
}

export function noteDisabled(db: Database, endpoint: number, reason: string | null, now: number): void {
  note(db, endpoint, 'disabled', { reason, now })
}

/** To be called before it is forgotten since when the endpoint has failed. */
export function noteRecovered(db: Database, endpoint: number, now: number): void {
  const row = db.prepare('SELECT failing_since FROM endpoints WHERE ref = ?').get(endpoint)
  const since = (row?.['failing_since'] as number | null | undefined) ?? null
  if (isRecoveryTold(since, now)) note(db, endpoint, 'recovered', { reason: null, now })
}

function note(
  db: Database,
  endpoint: number,
  kind: 'disabled' | 'recovered',
  { reason, now }: { reason: string | null; now: number },
): void {
  db.prepare(
    `INSERT INTO notices (kind, mode, tenant_id, endpoint_id, at, reason, failing_since)
     SELECT ?, p.mode, p.tenant_id, p.id, ?, ?, p.failing_since FROM endpoints p WHERE p.ref = ? AND ${WATCHED}`,
  ).run(kind, now, reason, endpoint)
}

/** What has been said is not said again. */
export function removeNotice(db: Database, position: number | undefined): void {
  if (position !== undefined) db.prepare('DELETE FROM notices WHERE position = ?').run(position)
}

export function findNotices({ db }: SqliteContext, { limit }: Parameters<Store['findNotices']>[0]): Notice[] {
  const rows = db.prepare('SELECT * FROM notices ORDER BY position LIMIT ?').all(limit) as Row[]
  return rows.map(noticeFrom)
}

export function findFailingEndpoints(
  { db }: SqliteContext,
  { since, after, limit }: Parameters<Store['findFailingEndpoints']>[0],
): FailingEndpoint[] {
  const rows = db
    .prepare(
      `SELECT p.ref, p.id, p.mode, p.tenant_id, p.failing_since FROM endpoints p INDEXED BY endpoints_failing
       WHERE p.failing_since IS NOT NULL AND p.failing_since <= ? AND p.status = ${ENABLED} AND p.deleted_at IS NULL
         AND p.ref > ? AND ${WATCHED} ORDER BY p.ref LIMIT ?`,
    )
    .all(since, after, limit) as Row[]
  return rows.map(failingFrom)
}

function noticeFrom(row: Row): Notice {
  return {
    position: row['position'] as number,
    kind: row['kind'] as Notice['kind'],
    mode: modes.decode(row['mode']),
    tenantId: row['tenant_id'] as string,
    endpointId: row['endpoint_id'] as string,
    at: row['at'] as number,
    reason: row['reason'] as string | null,
    failingSince: row['failing_since'] as number | null,
    delivery: row['delivery_id'] === null ? null : deliveryFrom(row),
  }
}

function deliveryFrom(row: Row): Notice['delivery'] {
  return {
    deliveryId: row['delivery_id'] as string,
    eventId: row['event_id'] as string,
    eventType: row['event_type'] as string,
    runId: row['run_id'] as string | null,
    attemptCount: row['attempt_count'] as number,
    replays: row['replays'] as number,
    lastOutcome: row['last_outcome'] === null ? null : outcomes.decode(row['last_outcome']),
  }
}

function failingFrom(row: Row): FailingEndpoint {
  return {
    position: row['ref'] as number,
    endpointId: row['id'] as string,
    mode: modes.decode(row['mode']),
    tenantId: row['tenant_id'] as string,
    failingSince: row['failing_since'] as number,
  }
}
