import type { EndpointKind } from '@runbell/sdk/contract'
import { ALWAYS_GRANTED, maskOf, type ClassMask } from '../../../core/data-classes.ts'
import type { EndpointRow } from '../../rows.ts'
import { endpointKinds } from '../codes.ts'
import type { Database, Row } from '../database.ts'
import type { Store } from '../../store.ts'
import type { Ordering } from '../../turns.ts'

/** The verbs, as they run inside a worker: synchronous, within a transaction that somebody else opens and commits. */
export type Verbs = {
  [Name in Exclude<keyof Store, 'close'>]: (
    context: SqliteContext,
    input: Parameters<Store[Name]>[0],
  ) => Awaited<ReturnType<Store[Name]>>
}

/** What a verb works with. */
export interface SqliteContext {
  db: Database
  endpointRefs: EndpointRefs
  /** After this commit the write-ahead log must hold nothing of what was before it. */
  emptyLog: boolean
  /** Not before this time (`performance.now()`): a reader was in the way. */
  emptyLogAfter: number
}

/** What the hot verbs need to know of an endpoint without reading it again. */
export interface EndpointRef {
  ref: number
  deleted: boolean
  kind: EndpointKind
  maxAttempts: number
  /** What it may receive now, public and summary included. */
  grants: ClassMask
  ordering: Ordering
}

/** Endpoints by id and by reference, read once and dropped whenever any of them changes. */
export class EndpointRefs {
  readonly #db: Database
  readonly #byId = new Map<string, EndpointRef>()
  readonly #byRef = new Map<number, { id: string; entry: EndpointRef }>()

  constructor(db: Database) {
    this.#db = db
  }

  byId(id: string): EndpointRef | null {
    return this.#byId.get(id) ?? this.#load('id', id)?.entry ?? null
  }

  byRef(ref: number): { id: string; entry: EndpointRef } {
    const found = this.#byRef.get(ref) ?? this.#load('ref', ref)
    if (found === null) throw new Error(`endpoint ${ref} is referenced but missing`)
    return found
  }

  clear(): void {
    this.#byId.clear()
    this.#byRef.clear()
  }

  #load(column: 'id' | 'ref', value: string | number): { id: string; entry: EndpointRef } | null {
    const row = this.#db
      .prepare(`SELECT ref, id, deleted_at, kind, max_attempts, config, ordering FROM endpoints WHERE ${column} = ?`)
      .get(value) as Row | undefined
    if (row === undefined) return null
    const entry: EndpointRef = {
      ref: row['ref'] as number,
      deleted: row['deleted_at'] !== null,
      kind: endpointKinds.decode(row['kind']),
      maxAttempts: row['max_attempts'] as number,
      ordering: row['ordering'] as Ordering,
      grants: grantsOf(JSON.parse(row['config'] as string) as Pick<EndpointRow, 'dataClasses'>),
    }
    const found = { id: row['id'] as string, entry }
    this.#byId.set(found.id, entry)
    this.#byRef.set(entry.ref, found)
    return found
  }
}

/** A node's reference; `null` if it has not joined. */
export function nodeRef(db: Database, nodeId: string): number | null {
  return (db.prepare('SELECT ref FROM nodes WHERE node_id = ? AND left = 0').get(nodeId)?.['ref'] as number) ?? null
}

/** A node's reference, for verbs that make no sense without one. */
export function requireNode(db: Database, nodeId: string): number {
  const ref = nodeRef(db, nodeId)
  if (ref === null) throw new Error(`node ${nodeId} has not joined`)
  return ref
}

/** Whether a delivery, of whose row `classes` were read, has more in it than its endpoint may receive now. */
export function isBeyond(delivery: Row, { grants }: EndpointRef): boolean {
  return ((delivery['classes'] as number) & ~grants) !== 0
}

export function grantsOf({ dataClasses }: Pick<EndpointRow, 'dataClasses'>): ClassMask {
  return maskOf(dataClasses) | ALWAYS_GRANTED
}
