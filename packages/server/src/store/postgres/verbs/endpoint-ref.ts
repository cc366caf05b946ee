import type { EndpointKind } from '@runbell/sdk/contract'
import { ALWAYS_GRANTED, maskOf, type ClassMask } from '../../../core/data-classes.ts'
import { endpointKinds, endpointStatuses } from '../../codes.ts'
import type { EndpointRow } from '../../rows.ts'
import type { Ordering } from '../../turns.ts'
import type { Row, Session } from '../session.ts'

/** What the hot verbs need to know of an endpoint. */
export interface EndpointRef {
  ref: number
  id: string
  deleted: boolean
  kind: EndpointKind
  /** It is enabled, not deleted, and something is sent to it. */
  maySend: boolean
  maxAttempts: number
  /** What it may receive now, public and summary included. */
  grants: ClassMask
  ordering: Ordering
}

/** Endpoints by reference, those that are deleted included. */
export async function endpointsByRef(db: Session, refs: readonly number[]): Promise<Map<number, EndpointRef>> {
  const rows = await db.rows(
    'SELECT ref, id, status, kind, deleted_at, max_attempts, config, ordering FROM endpoints WHERE ref = ANY($1)',
    [...new Set(refs)],
  )
  return new Map(rows.map((row) => [row['ref'] as number, endpointRefFrom(row)]))
}

export function endpointRefFrom(row: Row): EndpointRef {
  const deleted = row['deleted_at'] !== null
  const kind = endpointKinds.decode(row['kind'])
  return {
    ref: row['ref'] as number,
    id: row['id'] as string,
    deleted,
    kind,
    maySend: !deleted && kind !== 'pull' && endpointStatuses.decode(row['status']) === 'enabled',
    maxAttempts: row['max_attempts'] as number,
    ordering: row['ordering'] as Ordering,
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
