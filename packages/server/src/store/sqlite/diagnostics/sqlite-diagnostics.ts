import { existsSync } from 'node:fs'
import type { DiagnosticStore } from '../../diagnostics.ts'
import { StoreUnavailable } from '../../store.ts'
import { DiagnosticThread } from './diagnostic-thread.ts'
import { packRows } from './packed-rows.ts'
import type { DiagnosticVerbs } from './verbs.ts'

export interface SqliteDiagnosticsOptions {
  /** The file of diagnostics, beside the database; it is made by the first of them. */
  path: string
  /** The file cannot be used, or its thread has ended: diagnostics are refused, and tried again after a while. */
  onTrouble?(error: Error): void
  /** Monotonic ms. @default performance.now */
  monotonic?(): number
}

/** After the thread has failed nobody tries to open the file again before this has passed. */
const AGAIN_MS = 10_000

/**
 * Diagnostics in a file of their own, with a thread of its own that starts with the first use: who has none pays nothing. No commit of
 * an event waits for one of diagnostics, and a file that is damaged stops diagnostics alone.
 */
export function openSqliteDiagnostics(options: SqliteDiagnosticsOptions): DiagnosticStore {
  const { path, onTrouble = () => {}, monotonic = () => performance.now() } = options
  let thread: DiagnosticThread | null = null
  let failedAt = -Infinity
  let closed = false

  function threadNow(): DiagnosticThread {
    if (closed) throw new StoreUnavailable('unavailable', 'the store is closed')
    if (thread !== null && thread.failure === null) return thread
    if (thread?.failure != null && monotonic() - failedAt < AGAIN_MS) throw thread.failure
    thread = new DiagnosticThread(path, (error) => {
      failedAt = monotonic()
      onTrouble(error)
    })
    return thread
  }

  const call = async (verb: keyof DiagnosticVerbs, input: unknown): Promise<unknown> => threadNow().call(verb, input)
  /** Nothing was ever stored: nothing needs to be opened to say so. */
  const isUnused = () => thread === null && !existsSync(path)
  const verb =
    <Output>(name: keyof DiagnosticVerbs, ofNothing: Output) =>
    async (input?: unknown): Promise<Output> =>
      isUnused() ? ofNothing : ((await call(name, input)) as Output)

  return {
    append: async ({ diagnostics }) => void (await call('append', { packed: packRows(diagnostics) })),
    list: verb('list', { rows: [], next: null }),
    lastPosition: verb('lastPosition', 0),
    erase: verb('erase', 0),
    prune: verb('prune', 0),
    pruneBeyond: verb('pruneBeyond', 0),
    async close() {
      closed = true
      await thread?.close()
    },
  }
}
