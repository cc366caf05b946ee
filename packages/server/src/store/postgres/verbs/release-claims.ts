import { deliveryStatuses } from '../../codes.ts'
import type { ClaimRef } from '../../rows.ts'
import type { Store } from '../../store.ts'
import type { Session } from '../session.ts'
import { readGround, type PostgresContext } from './context.ts'
import { isBeyond, requireEndpoint } from './endpoint-ref.ts'

type Input = Parameters<Store['releaseClaims']>[0]

const PENDING = deliveryStatuses.encode('pending')

/** The attempt never started, so its number is free again. */
export async function releaseClaims(context: PostgresContext, { nodeId, now, claims }: Input): Promise<void> {
  const { db } = context
  const { node, configVersion } = await readGround(db, nodeId)
  if (node === null || claims.length === 0) return
  const rows = await db.rows(
    `SELECT q.delivery, q.endpoint, q.classes, d.status, given.due_at
     FROM unnest($1::bigint[], $2::integer[], $3::bigint[]) AS given (delivery, number, due_at)
       JOIN queue q ON q.delivery = given.delivery AND q.node = $4
       JOIN deliveries d ON d.position = q.delivery AND d.attempt_count = given.number
     ORDER BY q.delivery FOR UPDATE OF q, d`,
    claims.map(({ position }) => position),
    claims.map(({ number }) => number),
    claims.map(({ dueAt }) => dueAt),
    node.ref,
  )
  if (rows.length === 0) return
  const deliveries = rows.map(({ delivery }) => delivery as number)
  await Promise.all([
    db.run(
      `UPDATE deliveries SET attempt_count = attempt_count - 1, updated_at = $2 WHERE position = ANY($1)`,
      ...[deliveries, now],
    ),
    // What was ended while it was claimed does not wait again.
    db.run(
      'DELETE FROM queue WHERE delivery = ANY($1)',
      rows.filter(({ status }) => status !== PENDING).map(({ delivery }) => delivery as number),
    ),
    db.run(
      `UPDATE queue SET node = NULL, started_at = NULL, due_at = given.due_at
       FROM unnest($1::bigint[], $2::bigint[]) AS given (delivery, due_at) WHERE queue.delivery = given.delivery`,
      deliveries,
      rows.map((row) => row['due_at'] as number),
    ),
  ])
  const refs = rows.map(({ endpoint }) => endpoint as number)
  const endpoints = await context.endpoints.byRef(db, configVersion, refs)
  // What waits and may never be sent is ended by `cancelHeld`, which has to look again.
  const deleted = refs.filter((ref) => requireEndpoint(endpoints, ref).deleted)
  const beyond = rows.filter((row) => isBeyond(row, requireEndpoint(endpoints, row['endpoint'])))
  await lookAgain(
    db,
    deleted,
    beyond.map(({ endpoint }) => endpoint as number),
  )
}

async function lookAgain(db: Session, deleted: readonly number[], beyond: readonly number[]): Promise<void> {
  if (deleted.length > 0) await db.run('UPDATE endpoints SET settled = FALSE WHERE ref = ANY($1)', deleted)
  if (beyond.length > 0) await db.run('UPDATE endpoints SET narrowed = TRUE WHERE ref = ANY($1)', beyond)
}

export async function findClaims(
  { db }: PostgresContext,
  { nodeId, limit }: { nodeId: string; limit: number },
): Promise<ClaimRef[]> {
  const rows = await db.rows(
    `SELECT q.delivery, d.attempt_count FROM nodes n JOIN queue q ON q.node = n.ref
       JOIN deliveries d ON d.position = q.delivery
     WHERE n.node_id = $1 AND NOT n.has_left AND n.held_at_death IS NULL LIMIT $2`,
    ...[nodeId, limit],
  )
  return rows.map((row) => ({ position: row['delivery'] as number, number: row['attempt_count'] as number }))
}
