import { fileURLToPath } from 'node:url'
import { startProcess } from '../processes.ts'

const PROCESS = fileURLToPath(new URL('receiver-process.ts', import.meta.url))

/** `hang`: takes the request and says nothing. `fail`: 503. */
export type Behaviour = 'answer' | 'hang' | 'fail'

export type Question = { ask: 'count' } | { ask: 'take' } | { ask: 'behave'; ports: number[]; behaviour: Behaviour }

export interface Count {
  /** What was answered 204, in all and by port. */
  received: number
  answeredBy: Uint32Array
  cpu: NodeJS.CpuUsage
  /** Made to it since its start. */
  connections: number
  /** When the first and the last arrived since arrivals were last taken, on the clock that all processes share. */
  firstAt: number
  lastAt: number
}

/** One entry in each for every arrival of an event with a number, in the order they came. */
export interface Arrivals {
  numbers: Float64Array
  /** On the clock that all processes share. */
  at: Float64Array
  /** Milliseconds after `recorded_at`, which has no fractions: up to 1 ms too much. */
  sinceRecorded: Float64Array
}

export interface Receiver {
  /** Such as `http://127.0.0.1:40001`. */
  origins: string[]
  count(): Promise<Count>
  /** What has arrived since it was last taken. */
  take(): Promise<Arrivals>
  behave(ports: number[], behaviour: Behaviour): Promise<void>
  close(): Promise<void>
}

/** Starts a receiver that answers 204 to everything, on this many ports. */
export async function startReceiver(ports: number): Promise<Receiver> {
  const receiver = startProcess(PROCESS, [String(ports)])
  const open = await receiver.hear<number[]>()
  return {
    origins: open.map((port) => `http://127.0.0.1:${port}`),
    count: () => receiver.ask<Count>({ ask: 'count' } satisfies Question),
    take: () => receiver.ask<Arrivals>({ ask: 'take' } satisfies Question),
    behave: (which, behaviour) => receiver.ask<void>({ ask: 'behave', ports: which, behaviour } satisfies Question),
    close: () => receiver.stop(),
  }
}
