import { isRecoveryTold } from '../../../core/endpoint-health.ts'
import { endpointStatuses, modes, outcomes } from '../../codes.ts'
import type { FailingEndpoint, Notice } from '../../notices.ts'
import type { Store } from '../../store.ts'
import type { Row, Session } from '../session.ts'
import type { PostgresContext } from './context.ts'

const [ENABLED, DISABLED] = [endpointStatuses.encode('enabled'), endpointStatuses.encode('disabled')]

/** Whether an endpoint that gets events names service events, for the tenant of the endpoint `p`. */
const WATCHED = `EXISTS (SELECT 1 FROM endpoints w WHERE w.mode = p.mode AND w.tenant_id IN (p.tenant_id, '*')
  AND position('"runbell.' IN w.config) > 0 AND w.deleted_at IS NULL AND w.status <> ${DISABLED})`

export async function noteDisabled(db: Session, endpoint: number, reason: string | null, now: number): Promise<void> {
  await note(db, endpoint, { kind: 'disabled', reason, failingSince: null, now })
}

/** @param failingSince since when it had failed, until this transaction */
export async function noteRecovered(db: Session, endpoint: number, failingSince: number, now: number): Promise<void> {
  if (isRecoveryTold(failingSince, now))
    await note(db, endpoint, { kind: 'recovered', reason: null, failingSince, now })
}

async function note(
  db: Session,
  endpoint: number,
  {
    kind,
    reason,
    failingSince,
    now,
  }: { kind: string; reason: string | null; failingSince: number | null; now: number },
): Promise<void> {
  await db.run(
    `INSERT INTO notices (kind, mode, tenant_id, endpoint_id, at, reason, failing_since)
     SELECT $1::text, p.mode, p.tenant_id, p.id, $2::bigint, $3::text, coalesce($4::bigint, p.failing_since)
     FROM endpoints p WHERE p.ref = $5 AND ${WATCHED}`,
    ...[kind, now, reason, failingSince, endpoint],
  )
}

/** What has been said is not said again. */
export async function removeNotices(db: Session, positions: readonly number[]): Promise<void> {
  if (positions.length > 0) await db.run('DELETE FROM notices WHERE position = ANY($1)', positions)
}

export async function findNotices(
  { db }: PostgresContext,
  { limit }: Parameters<Store['findNotices']>[0],
): Promise<Notice[]> {
  return (await db.rows('SELECT * FROM notices ORDER BY position LIMIT $1', limit)).map(noticeFrom)
}

export async function findFailingEndpoints(
  { db }: PostgresContext,
  { since, after, limit }: Parameters<Store['findFailingEndpoints']>[0],
): Promise<FailingEndpoint[]> {
  const rows = await db.rows(
    `SELECT p.ref, p.id, p.mode, p.tenant_id, p.failing_since FROM endpoints p
     WHERE p.failing_since IS NOT NULL AND p.failing_since <= $1 AND p.status = ${ENABLED} AND p.deleted_at IS NULL
       AND p.ref > $2 AND ${WATCHED} ORDER BY p.ref LIMIT $3`,
    ...[since, after, limit],
  )
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
