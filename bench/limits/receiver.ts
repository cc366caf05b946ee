import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const PROCESS = fileURLToPath(new URL('receiver-process.ts', import.meta.url))

export interface Receiver {
  /** Such as `http://127.0.0.1:40001`. */
  origins: string[]
  /** What has arrived in all, and the milliseconds after `recorded_at` of what has since it was last asked. */
  look(): Promise<{ received: number; latencies: number[] }>
  close(): void
}

/** Starts a receiver that answers 204 to everything, on this many ports. */
export async function startReceiver(ports: number): Promise<Receiver> {
  const child = fork(PROCESS, [String(ports)])
  const [open] = (await once(child, 'message')) as [number[]]
  return {
    origins: open.map((port) => `http://127.0.0.1:${port}`),
    async look() {
      const answer = once(child, 'message') as Promise<[{ received: number; latencies: number[] }]>
      child.send('look')
      return (await answer)[0]
    },
    close: () => void child.kill(),
  }
}
