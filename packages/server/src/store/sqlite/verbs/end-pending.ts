import type { DeliveryReason } from '@runbell/sdk/contract'
import type { Store } from '../../store.ts'
import { deliveryStatuses } from '../codes.ts'
import type { Database, Row } from '../database.ts'
import type { ClassMask } from '../../../core/data-classes.ts'
import type { EndpointRow } from '../../rows.ts'
import { grantsOf, type SqliteContext } from './context.ts'

/** Ends waiting deliveries whose deadline has passed; those in flight end with their attempt. */
export function expireDeliveries({ db }: SqliteContext, input: Parameters<Store['expireDeliveries']>[0]): number {
  const { changes } = db
    .prepare(
      `UPDATE deliveries SET status = ?, reason = 'deadline_passed', due_at = NULL, updated_at = ?
       WHERE position IN (
         SELECT position FROM deliveries WHERE deadline <= ? AND deadline IS NOT NULL AND due_at IS NOT NULL
         ORDER BY deadline LIMIT ?)`,
    )
    .run(deliveryStatuses.encode('expired'), input.now, input.now, input.limit)
  return Number(changes)
}

export function cancelHeld({ db }: SqliteContext, input: Parameters<Store['cancelHeld']>[0]): number {
  const endpoints = db
    .prepare(
      `SELECT ref, deleted_at, disabled_reason FROM endpoints INDEXED BY endpoints_unsettled
       WHERE settled = 0 AND (deleted_at IS NOT NULL OR disabled_at IS NOT NULL)
         AND (deleted_at IS NOT NULL OR disabled_at < ?)`,
    )
    .all(input.disabledBefore) as Row[]
  let cancelled = 0
  for (const endpoint of endpoints) {
    const room = input.limit - cancelled
    if (room <= 0) break
    const deleted = endpoint['deleted_at'] !== null
    const changes = cancelOf(db, {
      endpoint: endpoint['ref'] as number,
      reason: reasonOf(endpoint),
      now: input.now,
      limit: room,
    })
    cancelled += changes
    if (deleted && changes < room) {
      db.prepare('UPDATE endpoints SET settled = 1 WHERE ref = ?').run(endpoint['ref'] as number)
    }
  }
  return cancelled + cancelNarrowed(db, input.now, input.limit - cancelled)
}

function reasonOf(endpoint: Row): DeliveryReason {
  if (endpoint['deleted_at'] === null) return 'endpoint_disabled'
  return endpoint['disabled_reason'] === 'listener_gone' ? 'listener_gone' : 'endpoint_deleted'
}

/** What the transaction that narrowed an endpoint's grants did not get to. */
function cancelNarrowed(db: Database, now: number, limit: number): number {
  let cancelled = 0
  const endpoints = db
    .prepare('SELECT ref, config FROM endpoints INDEXED BY endpoints_narrowed WHERE narrowed = 1')
    .all() as Row[]
  for (const row of endpoints) {
    const room = limit - cancelled
    if (room <= 0) break
    const grants = grantsOf(JSON.parse(row['config'] as string) as Pick<EndpointRow, 'dataClasses'>)
    const changes = cancelBeyond(db, { endpoint: row['ref'] as number, grants, now, limit: room })
    cancelled += changes
    if (changes < room) db.prepare('UPDATE endpoints SET narrowed = 0 WHERE ref = ?').run(row['ref'] as number)
  }
  return cancelled
}

/** Ends waiting deliveries of an endpoint with values of classes it is not granted; `null`: all of them. */
export function cancelBeyond(
  db: Database,
  { endpoint, grants, now, limit }: { endpoint: number; grants: ClassMask; now: number; limit: number | null },
): number {
  let cancelled = 0
  for (const suspect of [0, 1]) {
    const { changes } = db
      .prepare(
        `UPDATE deliveries SET status = ?, reason = 'policy_changed', due_at = NULL, updated_at = ?
         WHERE position IN (
           SELECT position FROM deliveries
           WHERE endpoint = ? AND due_at IS NOT NULL AND suspect = ${suspect} AND classes & ~? <> 0 LIMIT ?)`,
      )
      .run(deliveryStatuses.encode('cancelled'), now, endpoint, grants, limit === null ? -1 : limit - cancelled)
    cancelled += Number(changes)
  }
  return cancelled
}

function cancelOf(
  db: Database,
  { endpoint, reason, now, limit }: { endpoint: number; reason: DeliveryReason; now: number; limit: number },
): number {
  let cancelled = 0
  // Once for each of the two partial indexes: what waits in the usual way, and suspects.
  for (const suspect of [0, 1]) {
    const { changes } = db
      .prepare(
        `UPDATE deliveries SET status = ?, reason = ?, due_at = NULL, updated_at = ?
         WHERE position IN (
           SELECT position FROM deliveries WHERE endpoint = ? AND due_at IS NOT NULL AND suspect = ${suspect} LIMIT ?)`,
      )
      .run(deliveryStatuses.encode('cancelled'), reason, now, endpoint, limit - cancelled)
    cancelled += Number(changes)
  }
  return cancelled
}
