import { readdirSync, readFileSync } from 'node:fs'

/** Microseconds of processor time by thread. */
export type ThreadTimes = Record<string, number>

/** Threads of which a process has many of a kind count together. */
const KINDS: Record<string, string> = { MainThread: 'main', node: 'main', V8Worker: 'V8', 'libuv-worker': 'libuv' }

/** By the name of the thread; those without one of their own by the order they were started in. */
export function readThreadTimes(pid: number): ThreadTimes {
  const times: ThreadTimes = {}
  let workers = 0
  for (const thread of threadsOf(pid)) {
    const name = KINDS[thread.name] ?? (thread.name === 'WorkerThread' ? `worker ${++workers}` : thread.name)
    times[name] = (times[name] ?? 0) + thread.micros
  }
  return times
}

/** What each took between two looks, of those that took anything worth naming. */
export function threadsBetween(before: ThreadTimes, after: ThreadTimes, events: number): ThreadTimes {
  const spent = Object.entries(after).map(([name, micros]) => [name, (micros - (before[name] ?? 0)) / events] as const)
  return Object.fromEntries(spent.filter(([, micros]) => micros >= 0.5))
}

function threadsOf(pid: number): { name: string; micros: number }[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .toSorted((a, b) => Number(a) - Number(b))
      .map((task) => ({
        name: readFileSync(`/proc/${pid}/task/${task}/comm`, 'utf8').trim(),
        micros: Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1000,
      }))
  } catch {
    return []
  }
}

/** Megabytes of memory that a process has had resident at most. */
export function peakMegabytes(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
  } catch {
    return Number.NaN
  }
}
