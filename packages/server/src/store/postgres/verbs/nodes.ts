import type { NodeState } from '../../store.ts'
import type { Session } from '../session.ts'
import { refuseUnfinishedMove } from '../moving/unfinished-move.ts'
import type { PostgresContext } from './context.ts'

interface Lease {
  nodeId: string
  leaseMs: number
}

/** Begins a new life: what this id held before is up for rescue, because whoever held it is gone. */
export async function joinNode({ db }: PostgresContext, { nodeId, leaseMs }: Lease): Promise<NodeState> {
  await db.run(
    `UPDATE nodes SET node_id = node_id || '/' || ref, lease_until = clock_timestamp() WHERE node_id = $1`,
    nodeId,
  )
  await db.run(
    `INSERT INTO nodes (node_id, lease_until) VALUES ($1, clock_timestamp() + make_interval(secs => $2::float8 / 1000))`,
    ...[nodeId, leaseMs],
  )
  await refuseUnfinishedMove(db)
  return state(db, true)
}

/** A lease that ran out is renewed, unless somebody has begun to rescue what the node held. */
export async function heartbeat(
  { db }: PostgresContext,
  { nodeId, leaseMs, highWater }: Lease & { highWater: number },
): Promise<NodeState> {
  const renewed = await db.run(
    `UPDATE nodes SET lease_until = clock_timestamp() + make_interval(secs => $2::float8 / 1000)
     WHERE node_id = $1 AND NOT has_left AND held_at_death IS NULL`,
    ...[nodeId, leaseMs],
  )
  await raiseHighWater(db, highWater)
  return state(db, renewed > 0)
}

export async function leaveNode(
  { db }: PostgresContext,
  { nodeId, highWater }: { nodeId: string; highWater: number },
): Promise<void> {
  await db.run('UPDATE nodes SET has_left = TRUE WHERE node_id = $1', nodeId)
  await raiseHighWater(db, highWater)
}

/** A row that several nodes write is written only where that changes it. */
async function raiseHighWater(db: Session, highWater: number): Promise<void> {
  await db.run(`UPDATE settings SET value = $1 WHERE name = 'high_water' AND value < $1`, highWater)
}

async function state(db: Session, alive: boolean): Promise<NodeState> {
  return { alive, configVersion: await db.configVersion(), highWater: await db.setting('high_water') }
}
