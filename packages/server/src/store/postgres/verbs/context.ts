import { ALWAYS_GRANTED, maskOf, type ClassMask } from '../../../core/data-classes.ts'
import type { EndpointRow } from '../../rows.ts'
import type { Store } from '../../store.ts'
import type { LockKey } from '../locks.ts'
import type { Row, Session } from '../session.ts'

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
  lock(name: 'positions' | 'sealing'): LockKey
}

/** What the hot verbs need to know of an endpoint. */
export interface EndpointRef {
  ref: number
  id: string
  deleted: boolean
  maxAttempts: number
  /** What it may receive now, public and summary included. */
  grants: ClassMask
}

/** Endpoints by reference, those that are deleted included. */
export async function endpointsByRef(db: Session, refs: readonly number[]): Promise<Map<number, EndpointRef>> {
  const rows = await db.rows('SELECT ref, id, deleted_at, max_attempts, config FROM endpoints WHERE ref = ANY($1)', [
    ...new Set(refs),
  ])
  return new Map(rows.map((row) => [row['ref'] as number, endpointRefFrom(row)]))
}

function endpointRefFrom(row: Row): EndpointRef {
  return {
    ref: row['ref'] as number,
    id: row['id'] as string,
    deleted: row['deleted_at'] !== null,
    maxAttempts: row['max_attempts'] as number,
    grants: grantsOf(JSON.parse(row['config'] as string) as Pick<EndpointRow, 'dataClasses'>),
  }
}

export function requireEndpoint(endpoints: ReadonlyMap<number, EndpointRef>, ref: unknown): EndpointRef {
  const found = endpoints.get(ref as number)
  if (found === undefined) throw new Error(`endpoint ${String(ref)} is referenced but missing`)
  return found
}

/** Whether a delivery, of whose row `classes` were read, has more in it than its endpoint may receive now. */
export function isBeyond(delivery: Row, { grants }: Pick<EndpointRef, 'grants'>): boolean {
  return ((delivery['classes'] as number) & ~grants) !== 0
}

export function grantsOf({ dataClasses }: Pick<EndpointRow, 'dataClasses'>): ClassMask {
  return maskOf(dataClasses) | ALWAYS_GRANTED
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
