import type { Database } from '../database.ts'
import type { NodeState } from '../../store.ts'
import { nodeRef, type SqliteContext } from './context.ts'

/*
 * Only one process has the file open (lock.ts), so every other node is dead and a lease never runs out:
 * leases are what several nodes on one database need.
 */

function state(db: Database, alive: boolean): NodeState {
  return { alive, configVersion: db.configVersion(), highWater: db.setting('high_water') as number }
}

function raiseHighWater(db: Database, highWater: number): void {
  db.prepare(`UPDATE settings SET value = max(value, ?) WHERE name = 'high_water'`).run(highWater)
}

/** Begins a new life: what this id held before is up for rescue, because whoever held it is gone. */
export function joinNode({ db }: SqliteContext, input: { nodeId: string; leaseMs: number }): NodeState {
  db.prepare(`UPDATE nodes SET node_id = node_id || '/' || ref WHERE node_id = ?`).run(input.nodeId)
  db.prepare('INSERT INTO nodes (node_id) VALUES (?)').run(input.nodeId)
  return state(db, true)
}

export function heartbeat(
  { db }: SqliteContext,
  input: { nodeId: string; leaseMs: number; highWater: number },
): NodeState {
  raiseHighWater(db, input.highWater)
  return state(db, nodeRef(db, input.nodeId) !== null)
}

export function leaveNode({ db }: SqliteContext, input: { nodeId: string; highWater: number }): void {
  raiseHighWater(db, input.highWater)
  db.prepare('UPDATE nodes SET left = 1 WHERE node_id = ?').run(input.nodeId)
}
