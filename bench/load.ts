import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const PROCESS = fileURLToPath(new URL('load-process.ts', import.meta.url))

export interface LoadOptions {
  url: string
  key?: string
  /** Publishers, each with a connection and one request under way. */
  connections: number
  seconds: number
  /** Events in a request. @default 1 */
  batch?: number
  /** Types the events have in turn. @default those of agent runs */
  types?: number
  /** Requests a second of all together (open loop). @default as many as are answered (closed loop) */
  perSecond?: number
}

export interface LoadResult {
  /** Answered 202. */
  events: number
  failed: number
  perSecond: number
  /** Milliseconds from request to answer. */
  p50: number
  p99: number
}

/** Publishes events of about 1 KB from another process. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROCESS, JSON.stringify(options)])
  return JSON.parse(stdout) as LoadResult
}
