import type { Session } from '../session.ts'
import { endpointRefFrom, type EndpointRef } from './endpoint-ref.ts'

/** Endpoints kept at most; beyond that all are forgotten and read again. */
const MAX_KEPT = 50_000

interface Kept {
  version: number
  byId: Map<string, EndpointRef>
  byRef: Map<number, EndpointRef>
}

/**
 * What the hot verbs know of endpoints, kept over transactions while the configuration version stays the same. Only for
 * transactions that hold the lock of the configuration: to them what is kept is the present truth.
 */
export class EndpointCache {
  #kept: Kept = empty(0)

  /** @param version as read in this transaction */
  async byId(db: Session, version: number, ids: Iterable<string>): Promise<ReadonlyMap<string, EndpointRef>> {
    const kept = this.#at(version)
    const missing = [...new Set(ids)].filter((id) => !kept.byId.has(id))
    if (missing.length > 0) keep(kept, await db.rows(`${SELECT} WHERE id = ANY($1::text[])`, missing))
    return kept.byId
  }

  async byRef(db: Session, version: number, refs: Iterable<number>): Promise<ReadonlyMap<number, EndpointRef>> {
    const kept = this.#at(version)
    const missing = [...new Set(refs)].filter((ref) => !kept.byRef.has(ref))
    if (missing.length > 0) keep(kept, await db.rows(`${SELECT} WHERE ref = ANY($1::bigint[])`, missing))
    return kept.byRef
  }

  #at(version: number): Kept {
    if (version !== this.#kept.version || this.#kept.byRef.size > MAX_KEPT) this.#kept = empty(version)
    return this.#kept
  }
}

const SELECT = 'SELECT ref, id, status, kind, deleted_at, max_attempts, config, ordering FROM endpoints'

function empty(version: number): Kept {
  return { version, byId: new Map(), byRef: new Map() }
}

function keep({ byId, byRef }: Kept, rows: Awaited<ReturnType<Session['rows']>>): void {
  for (const row of rows) {
    const endpoint = endpointRefFrom(row)
    byId.set(endpoint.id, endpoint)
    byRef.set(endpoint.ref, endpoint)
  }
}
