import type { DiagnosticStore } from '../../diagnostics.ts'
import { StoreUnavailable } from '../../store.ts'
import { openDatabase, type Database, type TransactionKind } from '../database.ts'
import type { Session } from '../session.ts'
import { append, erase, lastPosition, listDiagnostics, prune, pruneBeyond } from './verbs.ts'

export interface PostgresDiagnosticsOptions {
  url: string
  schema?: string
}

/** One writes, one reads: diagnostics take no connection that an event waits for, and few of what the server has. */
const CONNECTIONS = 2

/**
 * Diagnostics in a table of the same database, over connections of their own that are made with the first use. Commits wait for no
 * flush (`synchronous_commit=off`).
 */
export function openPostgresDiagnostics({ url, schema }: PostgresDiagnosticsOptions): DiagnosticStore {
  let opening: Promise<Database> | null = null
  let closed = false

  async function open(): Promise<Database> {
    if (closed) throw new StoreUnavailable('unavailable', 'the store is closed')
    opening ??= openDatabase({ url, poolSize: CONNECTIONS, ...(schema === undefined ? {} : { schema }) })
    try {
      return await opening
    } catch (error) {
      opening = null
      // Whatever is wrong with the database, its own store says; here it only means: not now.
      throw error instanceof StoreUnavailable
        ? error
        : new StoreUnavailable('unavailable', error instanceof Error ? error.message : String(error))
    }
  }

  const within = async <Output>(kind: TransactionKind, work: (db: Session, at: Database) => Promise<Output>) => {
    const database = await open()
    return await database.transaction(kind, (db) => work(db, database))
  }

  return {
    append: ({ diagnostics }) => within('plain', (db, at) => append(db, at.lock('diagnostics'), diagnostics)),
    list: (input) => within('read', (db) => listDiagnostics(db, input)),
    lastPosition: () => within('read', lastPosition),
    erase: (input) => within('plain', (db) => erase(db, input)),
    prune: (input) => within('plain', (db) => prune(db, input)),
    pruneBeyond: (input) => within('plain', (db) => pruneBeyond(db, input)),
    async close() {
      closed = true
      await opening?.then(
        (database) => database.close(),
        () => {},
      )
    },
  }
}
