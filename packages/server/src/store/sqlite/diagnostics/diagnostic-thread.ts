import { Worker } from 'node:worker_threads'
import { StoreUnavailable } from '../../store.ts'
import type { Reply } from '../messages.ts'
import type { DiagnosticVerbs } from './verbs.ts'
import type { DiagnosticRequest } from './worker.ts'

/** Its own language: TypeScript in a checkout, compiled in the published package. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)

const SQLITE_FULL = 13

interface Waiting {
  resolve(output: unknown): void
  reject(error: Error): void
}

/** A thread that has the file open. Once it has failed it stays so; whoever needs it again makes another. */
export class DiagnosticThread {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0
  /** Why it is of no more use. */
  failure: Error | null = null

  /** @param onFailure called once, where it ends by itself or the file cannot be used */
  constructor(path: string, onFailure: (error: Error) => void) {
    this.#worker = new Worker(WORKER, { workerData: path })
    const fail = (error: Error) => {
      if (this.failure !== null) return
      this.failure = new StoreUnavailable('unavailable', `diagnostics cannot be stored: ${error.message}`)
      for (const { reject } of this.#waiting.values()) reject(this.failure)
      this.#waiting.clear()
      void this.#worker.terminate()
      onFailure(error)
    }
    this.#worker.on('message', ({ id, output, error }: Reply) => {
      if (id === 0) return error === undefined ? undefined : fail(new Error(error.message))
      const call = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === undefined) return call?.resolve(output)
      const code = error.sqlite === SQLITE_FULL ? 'storage_full' : 'unavailable'
      return call?.reject(new StoreUnavailable(code, error.message))
    })
    this.#worker.on('error', (error: unknown) => fail(error instanceof Error ? error : new Error(String(error))))
    this.#worker.on('exit', () => fail(new Error('its thread ended')))
  }

  call(verb: keyof DiagnosticVerbs | 'close', input: unknown): Promise<unknown> {
    if (this.failure !== null) return Promise.reject(this.failure)
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId
      this.#waiting.set(id, { resolve, reject })
      this.#worker.postMessage({ id, verb, input } satisfies DiagnosticRequest)
    })
  }

  /** Resolves when what was asked before is done and the file is closed. */
  async close(): Promise<void> {
    if (this.failure !== null) return
    const closed = this.call('close', undefined)
    closed.catch(() => {})
    await closed.catch(() => {})
    this.failure ??= new StoreUnavailable('unavailable', 'the store is closed')
    await this.#worker.terminate()
  }
}
