import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'
import { EndpointRefs, type SqliteContext } from './verbs/context.ts'
import { VERBS } from './verbs/index.ts'
import { Database, openWriter } from './database.ts'
import { takeLock } from './lock.ts'
import { describeError, unpackInput, type Reply, type Request, type WorkerSettings } from './messages.ts'

/*
 * One thread, one connection. The writer opens a transaction, runs every request that waits, commits once, and only
 * then answers: one flush to the disk for all of them (group commit). Requests that arrive meanwhile share the next.
 */

const port = parentPort as MessagePort
const settings = workerData as WorkerSettings
/** Requests one transaction takes at most, so that nobody waits long behind a crowd. */
const MAX_GROUP = 64

function start(): void {
  try {
    const lock = settings.role === 'writer' ? takeLock(settings.path) : null
    const db = settings.role === 'writer' ? openWriter(settings.path) : new Database(settings.path, { readOnly: true })
    const context: SqliteContext = { db, endpointRefs: new EndpointRefs(db) }
    const handle = settings.role === 'writer' ? writeGroup : readEach
    port.on('message', (first: Request | 'close') => {
      const requests = drain(first)
      if (requests.length > 0) handle(context, requests)
      if (closing) {
        db.close()
        lock?.release()
        port.postMessage({ id: 0 } satisfies Reply)
        port.close()
      }
    })
    port.postMessage({ id: -1 } satisfies Reply)
  } catch (error) {
    port.postMessage({ id: -1, error: describeError(error) } satisfies Reply)
  }
}

let closing = false

function drain(first: Request | 'close'): Request[] {
  const requests: Request[] = []
  let next: Request | 'close' | undefined = first
  while (next !== undefined) {
    if (next === 'close') closing = true
    else requests.push(next)
    if (requests.length >= MAX_GROUP) break
    next = receiveMessageOnPort(port)?.message as Request | 'close' | undefined
  }
  return requests
}

function run(context: SqliteContext, request: Request): unknown {
  const verb = VERBS[request.verb] as (context: SqliteContext, input: unknown) => unknown
  return verb(context, unpackInput(request))
}

function readEach(context: SqliteContext, requests: Request[]): void {
  for (const request of requests) {
    // What is cached of an endpoint belongs to the writer; a reader looks each time.
    context.endpointRefs.clear()
    try {
      port.postMessage({ id: request.id, output: run(context, request) } satisfies Reply)
    } catch (error) {
      port.postMessage({ id: request.id, error: describeError(error) } satisfies Reply)
    }
  }
}

function writeGroup(context: SqliteContext, requests: Request[]): void {
  const { handle } = context.db
  const replies: Reply[] = []
  try {
    handle.exec('BEGIN IMMEDIATE')
    for (const request of requests) replies.push(runOne(context, request))
    handle.exec('COMMIT')
  } catch (error) {
    // Whether it was the disk or a bug: nothing of the group happened, and everyone in it is told so.
    if (handle.isTransaction) handle.exec('ROLLBACK')
    context.endpointRefs.clear()
    const failure = describeError(error)
    for (const request of requests) port.postMessage({ id: request.id, error: failure } satisfies Reply)
    return
  }
  for (const reply of replies) port.postMessage(reply)
}

/** Runs one request of a group so that its failure leaves the others alone. */
function runOne(context: SqliteContext, request: Request): Reply {
  const { handle } = context.db
  handle.exec('SAVEPOINT request')
  try {
    const output = run(context, request)
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

start()
