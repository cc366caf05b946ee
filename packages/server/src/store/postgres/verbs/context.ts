import type { Store } from '../../store.ts'
import type { LockKey } from '../locks.ts'
import type { Session } from '../session.ts'
import type { EndpointCache } from './endpoint-cache.ts'

/** The verbs, as they run within a transaction that somebody else opens and commits; it may run more than once. */
export type Verbs = {
  [Name in Exclude<keyof Store, 'close'>]: (
    context: PostgresContext,
    input: Parameters<Store[Name]>[0],
  ) => Promise<Awaited<ReturnType<Store[Name]>>>
}

/** What a verb works with. */
export interface PostgresContext {
  db: Session
  endpoints: EndpointCache
  lock(name: 'positions' | 'sealing'): LockKey
}

/** Where every verb that relies on the configuration begins: its version, and who asks. */
export interface Ground {
  configVersion: number
  node: NodeLife | null
}

export interface NodeLife {
  ref: number
  /** Its lease has not run out. */
  alive: boolean
}

/** `node`: `null` if it has not joined, or somebody has begun to rescue its claims. */
export async function readGround(db: Session, nodeId: string): Promise<Ground> {
  const row = await db.row(
    `SELECT s.value AS config_version, n.ref, n.lease_until > clock_timestamp() AS alive FROM settings s
     LEFT JOIN nodes n ON n.node_id = $1 AND NOT n.has_left AND n.held_at_death IS NULL WHERE s.name = 'config_version'`,
    nodeId,
  )
  if (row === undefined) throw new Error('the settings are missing')
  const configVersion = row['config_version'] as number
  if (row['ref'] === null) return { configVersion, node: null }
  return { configVersion, node: { ref: row['ref'] as number, alive: row['alive'] as boolean } }
}

/**
 * Takes positions that follow each other, and the lock that makes them rise in the order of commits (see `LOCKS`); returns the
 * first. Nothing may be waited for from here to the commit.
 */
export async function takePositions({ db, lock }: PostgresContext, count: number): Promise<number> {
  const [space, key] = lock('positions')
  // The lock is a row of the join: no number is drawn before it is held.
  const row = await db.row(
    `WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock($1, $2))
     SELECT min(position) AS first FROM (SELECT nextval('positions') AS position FROM held, generate_series(1, $3)) AS drawn`,
    ...[space, key, count],
  )
  return row?.['first'] as number
}
