import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { load } from '../load/load.ts'

const PROCESS = fileURLToPath(new URL('http-in-process.ts', import.meta.url))

/** B1: CPU microseconds of a bare `node:http` server per request of 1 KB, on keep-alive connections in closed loops. */
export async function measureHttpIn(connections: number, seconds: number): Promise<number> {
  const child = fork(PROCESS)
  try {
    const [port] = (await once(child, 'message')) as [number]
    const events = { types: ['bench.limit.happened'] }
    const url = `http://127.0.0.1:${port}`
    await load({ url, connections, seconds: 0.3, events })
    const before = await cpuOf(child)
    const done = await load({ url, connections, seconds, events })
    return ((await cpuOf(child)) - before) / done.events
  } finally {
    child.kill()
  }
}

async function cpuOf(child: ReturnType<typeof fork>): Promise<number> {
  const answer = once(child, 'message') as Promise<[NodeJS.CpuUsage]>
  child.send('cpu')
  const [{ user, system }] = await answer
  return user + system
}
