import type { DeliveryReason } from '@runbell/sdk/contract'
import type { EndpointRow } from '../../rows.ts'
import type { Store } from '../../store.ts'
import type { Row, Session } from '../session.ts'
import { cancelBeyond } from './cancel-beyond.ts'
import type { PostgresContext } from './context.ts'
import { grantsOf } from './endpoint-ref.ts'
import { endWaiting } from './end-waiting.ts'

/** Ends waiting deliveries whose deadline has passed; those in flight end with their attempt. */
export async function expireDeliveries(
  { db }: PostgresContext,
  { now, limit }: Parameters<Store['expireDeliveries']>[0],
): Promise<number> {
  const rows = await db.rows(
    `SELECT delivery FROM queue WHERE deadline <= $1 AND deadline IS NOT NULL AND due_at IS NOT NULL
     ORDER BY deadline LIMIT $2 FOR UPDATE SKIP LOCKED`,
    ...[now, limit],
  )
  const deliveries = rows.map(({ delivery }) => delivery as number)
  return endWaiting(db, deliveries, { status: 'expired', reason: 'deadline_passed', now })
}

/** Their rows are held, so that a claim that is released at this moment is found here, or finds them to be looked at again. */
export async function cancelHeld(
  { db }: PostgresContext,
  { now, disabledBefore, limit }: Parameters<Store['cancelHeld']>[0],
): Promise<number> {
  const endpoints = await db.rows(
    `SELECT ref, deleted_at, disabled_reason FROM endpoints
     WHERE NOT settled AND (deleted_at IS NOT NULL OR disabled_at IS NOT NULL)
       AND (deleted_at IS NOT NULL OR disabled_at < $1) ORDER BY ref FOR NO KEY UPDATE`,
    disabledBefore,
  )
  let cancelled = 0
  for (const row of endpoints) {
    const room = limit - cancelled
    if (room <= 0) break
    const endpoint = row['ref'] as number
    const deleted = row['deleted_at'] !== null
    const reason = reasonOf(row)
    const changes = await cancelOf(db, { endpoint, reason, now, limit: room })
    cancelled += changes
    if (deleted && changes < room) await db.run('UPDATE endpoints SET settled = TRUE WHERE ref = $1', endpoint)
  }
  return cancelled + (await cancelNarrowed(db, now, limit - cancelled))
}

function reasonOf(endpoint: Row): DeliveryReason {
  if (endpoint['deleted_at'] === null) return 'endpoint_disabled'
  return endpoint['disabled_reason'] === 'listener_gone' ? 'listener_gone' : 'endpoint_deleted'
}

interface Held {
  /** Its reference. */
  endpoint: number
  reason: DeliveryReason
  now: number
  limit: number
}

async function cancelOf(db: Session, { endpoint, reason, now, limit }: Held): Promise<number> {
  let cancelled = 0
  // Once for each of the two partial indexes: what waits in the usual way, and suspects.
  for (const suspect of ['NOT suspect', 'suspect']) {
    const rows = await db.rows(
      `SELECT delivery FROM queue WHERE endpoint = $1 AND due_at IS NOT NULL AND ${suspect} LIMIT $2 FOR UPDATE`,
      ...[endpoint, limit - cancelled],
    )
    const deliveries = rows.map(({ delivery }) => delivery as number)
    cancelled += await endWaiting(db, deliveries, { status: 'cancelled', reason, now })
  }
  return cancelled
}

/** What the transaction that narrowed an endpoint's grants did not get to. */
async function cancelNarrowed(db: Session, now: number, limit: number): Promise<number> {
  let cancelled = 0
  const endpoints = await db.rows('SELECT ref, config FROM endpoints WHERE narrowed ORDER BY ref FOR NO KEY UPDATE')
  for (const row of endpoints) {
    const room = limit - cancelled
    if (room <= 0) break
    const endpoint = row['ref'] as number
    const grants = grantsOf(JSON.parse(row['config'] as string) as Pick<EndpointRow, 'dataClasses'>)
    const changes = await cancelBeyond(db, { endpoint, grants, now, limit: room })
    cancelled += changes
    if (changes < room) await db.run('UPDATE endpoints SET narrowed = FALSE WHERE ref = $1', endpoint)
  }
  return cancelled
}
