import { Worker } from 'node:worker_threads'
import type { AcceptBatch } from '../accept.ts'
import { StoreUnavailable, type Store } from '../store.ts'
import { DatabaseInUse } from './lock.ts'
import { packBatch, type ErrorMessage, type Reply, type Request, type WorkerSettings } from './messages.ts'
import type { Verbs } from './verbs/context.ts'
import { READ_VERBS, VERBS } from './verbs/index.ts'

export interface SqliteStoreOptions {
  /** The database file; its folder is made if it is not there. */
  path: string
  /** A thread ended by itself: nothing can be stored any more, and the process should end. */
  onFatal?(error: Error): void
  /** A write found no space left. */
  onFull?(): void
}

/**
 * Opens the embedded database: one thread that writes, one that reads.
 * @throws DatabaseInUse when another process has it open
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const onFatal = options.onFatal ?? (() => {})
  const hooks = { onFatal, onFull: options.onFull ?? (() => {}) }
  const writer = startThread({ path: options.path, role: 'writer' }, hooks)
  const reader = startThread({ path: options.path, role: 'reader' }, hooks)
  try {
    await writer.opened
    reader.open()
    await reader.opened
  } catch (error) {
    await Promise.all([writer.terminate(), reader.terminate()])
    throw error
  }
  const verbs = Object.fromEntries(
    (Object.keys(VERBS) as (keyof Verbs)[]).map((verb) => {
      const thread = READ_VERBS.has(verb) ? reader : writer
      return [verb, (input: unknown) => thread.call(verb, input)]
    }),
  )
  return {
    ...(verbs as unknown as Omit<Store, 'close'>),
    async close() {
      await reader.close()
      await writer.close()
    },
  }
}

interface Thread {
  /** Rejects when the thread could not open the database. */
  opened: Promise<unknown>
  /** Lets the reader open what the writer has made. */
  open(): void
  terminate(): Promise<unknown>
  call(verb: keyof Verbs, input: unknown): Promise<unknown>
  close(): Promise<void>
}

interface Waiting {
  resolve(output: unknown): void
  reject(error: Error): void
}

/** Its own language: TypeScript in a checkout, compiled in the published package. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)

function startThread(
  settings: WorkerSettings,
  { onFatal, onFull }: Required<Pick<SqliteStoreOptions, 'onFatal' | 'onFull'>>,
): Thread {
  const worker = new Worker(WORKER, { workerData: settings })
  const waiting = new Map<number, Waiting>()
  let lastId = 0
  let closed = false

  function fail(error: Error): void {
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }

  const settle = ({ id, output, error }: Reply): void => {
    const call = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) call?.resolve(output)
    else {
      if (error.sqlite === SQLITE_FULL) onFull()
      call?.reject(toError(error))
    }
  }

  const opened = new Promise<unknown>((resolve, reject) => waiting.set(-1, { resolve, reject }))
  worker.on('message', settle)
  worker.on('error', (error) => {
    fail(new StoreUnavailable('unavailable', `the store's thread failed: ${error}`))
    onFatal(error instanceof Error ? error : new Error(String(error)))
  })
  worker.on('exit', () => {
    if (closed) return
    const error = new StoreUnavailable('unavailable', "the store's thread ended")
    fail(error)
    onFatal(error)
  })
  // Whoever waits for it hears of it; nobody has to.
  opened.catch(() => {})
  return {
    opened,
    open: () => worker.postMessage('open'),
    terminate() {
      closed = true
      return worker.terminate()
    },
    call(verb, input) {
      if (closed) return Promise.reject(new StoreUnavailable('unavailable', 'the store is closed'))
      return new Promise((resolve, reject) => {
        const id = ++lastId
        waiting.set(id, { resolve, reject })
        if (verb === 'acceptEvents') {
          const { input: packed, bytes } = packBatch(input as AcceptBatch)
          worker.postMessage({ id, verb, input: packed, bytes } satisfies Request, [bytes.buffer])
        } else {
          worker.postMessage({ id, verb, input } satisfies Request)
        }
      })
    },
    async close() {
      if (closed) return
      closed = true
      const done = new Promise<unknown>((resolve, reject) => waiting.set(0, { resolve, reject }))
      worker.postMessage('close')
      await done
      await worker.terminate()
    },
  }
}

const SQLITE_FULL = 13
/** BUSY, IOERR, CANTOPEN, PROTOCOL: the database cannot be reached or written now. */
const SQLITE_TRANSIENT = new Set([5, 10, 14, 15])

function toError(described: ErrorMessage): Error {
  if (described.name === 'DatabaseInUse') return Object.assign(new DatabaseInUse(''), { message: described.message })
  if (described.sqlite === SQLITE_FULL) return new StoreUnavailable('storage_full', described.message)
  if (described.sqlite !== undefined && SQLITE_TRANSIENT.has(described.sqlite)) {
    return new StoreUnavailable('unavailable', described.message)
  }
  const error = new Error(described.message)
  error.name = described.name
  if (described.stack !== undefined) error.stack = described.stack
  return error
}
