import { closeSync, openSync } from 'node:fs'
import type { EventLoopUtilization } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { startProcess, type Process } from '../processes.ts'

const PROCESS = fileURLToPath(new URL('server-process.ts', import.meta.url))

export interface ServerOptions {
  dataDir: string
  /** Settings as a server reads them: keys, limits, the database. */
  environment: Record<string, string>
  logLevel: string
  /** An experiment: endpoints that hang keep the slots of all. */
  withoutSlowLane?: boolean
}

/** What a server says of itself; bytes, and microseconds since its start. */
export interface Look {
  cpu: NodeJS.CpuUsage
  rss: number
  /** Of the main thread. */
  heapUsed: number
  external: number
  loop: EventLoopUtilization
}

export interface Server {
  readonly url: string
  readonly pid: number
  /** Milliseconds from its start to the first answer it can give. */
  readonly readyMs: number
  /** @param collect garbage first, where it is memory that is looked at */
  look(collect?: boolean): Promise<Look>
  /** Reads from its API. @throws Error with the answer, where that is none of 2xx */
  get(path: string): Promise<unknown>
  /** Posts to its API. @throws Error with the answer, where that is none of 2xx */
  post(path: string, body: unknown): Promise<unknown>
  /** Ends it as a crash does. */
  kill(): Promise<void>
}

/** Starts a server; its log goes nowhere, at its cost. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const started = performance.now()
  const nowhere = openSync('/dev/null', 'w')
  const log = options.logLevel === 'error' ? 'inherit' : nowhere
  const server = startProcess(PROCESS, [JSON.stringify(options)], { stderr: log, exposeGc: true })
  const url = await server.hear<string>()
  closeSync(nowhere)
  const ready = await fetch(`${url}/readyz`)
  if (!ready.ok) throw new Error(`the server started and is not ready: ${await ready.text()}`)
  const readyMs = performance.now() - started
  return { url, pid: server.pid, readyMs, ...talkTo(server, url, options.environment['RUNBELL_ADMIN_KEYS'] ?? '') }
}

function talkTo(server: Process, url: string, key: string): Pick<Server, 'look' | 'get' | 'post' | 'kill'> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const call = async (path: string, request: RequestInit) => {
    const response = await fetch(`${url}${path}`, { ...request, headers })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return await response.json()
  }
  return {
    look: (collect = false) => server.ask<Look>(collect),
    get: (path) => call(path, {}),
    post: (path, body) => call(path, { method: 'POST', body: JSON.stringify(body) }),
    kill: () => server.stop(),
  }
}
