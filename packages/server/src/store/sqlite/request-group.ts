import { BUSY_TIMEOUT_MS, Database, openWriter } from './database.ts'
import { describeError, unpackInput, type Reply, type Request } from './messages.ts'
import { tookEffect } from '../../core/audit/audit-entry.ts'
import type { Audited } from '../audit.ts'
import { insertAudit } from './verbs/audit.ts'
import { EndpointRefs, type SqliteContext } from './verbs/context.ts'
import { VERBS } from './verbs/index.ts'

export function openContext(path: string, role: 'writer' | 'reader'): SqliteContext {
  const db = role === 'writer' ? openWriter(path) : new Database(path, { readOnly: true })
  return { db, endpointRefs: new EndpointRefs(db), emptyLog: false, emptyLogAfter: 0 }
}

function run(context: SqliteContext, request: Request): unknown {
  const verb = VERBS[request.verb] as (context: SqliteContext, input: unknown) => unknown
  return verb(context, unpackInput(request))
}

/**
 * Answers requests that only read, each in a transaction of its own: what a verb reads in several statements is one
 * moment's truth. Endpoints of one moment under the configuration version of the next would never be found stale (G5).
 */
export function readEach(context: SqliteContext, requests: readonly Request[]): Reply[] {
  const { handle } = context.db
  return requests.map((request) => {
    // What is cached of an endpoint belongs to the writer; a reader looks each time.
    context.endpointRefs.clear()
    try {
      handle.exec('BEGIN')
      return { id: request.id, output: run(context, request) }
    } catch (error) {
      return { id: request.id, error: describeError(error) }
    } finally {
      if (handle.isTransaction) handle.exec('COMMIT')
    }
  })
}

/**
 * Runs requests in one transaction and commits once: one flush to the disk for all of them (group commit). The replies
 * may be given only because the commit has happened when this returns.
 */
export function writeGroup(context: SqliteContext, requests: readonly Request[]): Reply[] {
  const { handle } = context.db
  try {
    handle.exec('BEGIN IMMEDIATE')
    const replies = requests.map((request) => runOne(context, request))
    handle.exec('COMMIT')
    if (context.emptyLog && performance.now() >= context.emptyLogAfter) emptyLog(context)
    return replies
  } catch (error) {
    // Whether it was the disk or a bug: nothing of the group happened, and everyone in it is told so.
    if (handle.isTransaction) handle.exec('ROLLBACK')
    context.endpointRefs.clear()
    const failure = describeError(error)
    return requests.map(({ id }) => ({ id, error: failure }))
  }
}

/** How long after a try that found a reader in the way the next one comes. */
const AGAIN_MS = 1000

/** Moves the write-ahead log into the database and cuts it off. It waits for no reader: everybody who writes would wait along. */
function emptyLog(context: SqliteContext): void {
  const { handle } = context.db
  try {
    handle.exec('PRAGMA busy_timeout = 0')
    const isEmpty = handle.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.['busy'] === 0
    context.emptyLog = !isEmpty
  } catch {
    // A reader is in the way, or the disk is full.
  } finally {
    handle.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
  }
  if (context.emptyLog) context.emptyLogAfter = performance.now() + AGAIN_MS
}

/** Runs one request of a group so that its failure leaves the others alone. */
function runOne(context: SqliteContext, request: Request): Reply {
  const { handle } = context.db
  handle.exec('SAVEPOINT request')
  try {
    const output = run(context, request)
    const { audit } = request.input as Audited
    if (audit !== undefined && tookEffect(output)) for (const entry of audit) insertAudit(context.db, entry)
    handle.exec('RELEASE request')
    return { id: request.id, output }
  } catch (error) {
    context.endpointRefs.clear()
    // A full disk may have ended the whole transaction: then nobody's part of it stands.
    if (!handle.isTransaction) throw error
    handle.exec('ROLLBACK TO request')
    handle.exec('RELEASE request')
    return { id: request.id, error: describeError(error) }
  }
}
