import { fileURLToPath } from 'node:url'
import { startProcess } from '../processes.ts'
import type { EventPlan } from './events.ts'

const PROCESS = fileURLToPath(new URL('load-process.ts', import.meta.url))

export interface LoadOptions {
  url: string
  key?: string
  /** Connections, each with one request under way. */
  connections: number
  seconds: number
  events: EventPlan
  /** Diagnostics of about 500 bytes instead of events: always lists. */
  diagnostics?: boolean
  /** Events in a request. @default 1 */
  batch?: number
  /** Requests a second of all together (open loop). @default as many as are answered (closed loop) */
  perSecond?: number
  /** Events are numbered from here on. @default 0 */
  firstNumber?: number
}

export interface LoadResult {
  /** Answered 202. */
  events: number
  failed: number
  /** How many requests got which other status. */
  refused: Record<number, number>
  /** On the clock that all processes share, in milliseconds. */
  began: number
  seconds: number
  cpuMicros: number
  firstNumber: number
  batch: number
  /** When each request was due, and when it was answered. */
  due: Float64Array
  answered: Float64Array
}

/** Publishes events from another process. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const generator = startProcess(PROCESS, [])
  return await generator.ask<LoadResult>(options)
}

/** Milliseconds from when requests were due to their answers. */
export function answerTimes({ due, answered }: LoadResult): Float64Array {
  return answered.map((at, index) => at - (due[index] as number))
}
