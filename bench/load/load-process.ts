import { monotonicMs } from '../machine/monotonic.ts'
import { Connection } from './connection.ts'
import { diagnosticWriter, eventWriter } from './events.ts'
import type { LoadOptions, LoadResult } from './load.ts'

/*
 * A load generator in a process of its own. In a closed loop each connection sends its next request when the last one was
 * answered. In an open loop requests are due at their times, whatever became of those before, and what finds no free connection waits
 * with its time: latencies count from when a request was due (no coordinated omission).
 */

const options = await new Promise<LoadOptions>((resolve) => process.once('message', resolve))
const { key = 'none', connections, seconds, batch = 1, perSecond, firstNumber = 0, diagnostics = false } = options
const url = new URL(options.url)
const isList = batch > 1 || diagnostics
const path = diagnostics ? '/v1/diagnostics' : isList ? '/v1/events/batch' : '/v1/events'
const head =
  `POST ${path} HTTP/1.1\r\nhost: ${url.host}\r\nauthorization: Bearer ${key}\r\n` +
  'content-type: application/json\r\ncontent-length: '
const write = diagnostics ? diagnosticWriter() : eventWriter(options.events, `${process.pid}`)
const due: number[] = []
const answered: number[] = []
const refused: Record<number, number> = {}
let failed = 0

function requestOf(request: number): string {
  const first = firstNumber + request * batch
  const body = isList
    ? `[${Array.from({ length: batch }, (_, index) => write(first + index)).join(',')}]`
    : write(first)
  return `${head}${body.length}\r\n\r\n${body}`
}

async function publish(connection: Connection, request: number, dueAt: number): Promise<void> {
  due[request] = dueAt
  const status = await connection.post(requestOf(request))
  answered[request] = monotonicMs()
  if (status < 300) return
  failed++
  refused[status] = (refused[status] ?? 0) + 1
}

async function closedLoop(open: readonly Connection[]): Promise<void> {
  let next = 0
  const run = async (connection: Connection) => {
    while (monotonicMs() < until) await publish(connection, next++, monotonicMs())
  }
  await Promise.all(open.map(run))
}

/** Looks every millisecond for what is due. */
async function openLoop(open: readonly Connection[], rate: number): Promise<void> {
  const free = [...open]
  const waiting: number[] = []
  const total = Math.floor(seconds * rate)
  const dueAt = (request: number) => began + (request * 1000) / rate
  let [next, left] = [0, total]
  let [resolve, reject] = [() => {}, (_error: unknown) => {}]
  const promise = new Promise<void>((...settle) => ([resolve, reject] = settle))
  const start = (connection: Connection, request: number): void => {
    publish(connection, request, dueAt(request)).then(
      () => {
        if (--left === 0) return resolve()
        const late = waiting.shift()
        if (late === undefined) free.push(connection)
        else start(connection, late)
      },
      (error: unknown) => reject(error),
    )
  }
  const timer = setInterval(() => {
    for (; next < total && dueAt(next) <= monotonicMs(); next++) {
      const connection = free.pop()
      if (connection === undefined) waiting.push(next)
      else start(connection, next)
    }
  }, 1)
  if (total > 0) await promise
  clearInterval(timer)
}

const open = await Promise.all(Array.from({ length: connections }, () => Connection.open(url)))
const cpuBefore = process.cpuUsage()
const began = monotonicMs()
const until = began + seconds * 1000
if (perSecond === undefined) await closedLoop(open)
else await openLoop(open, perSecond)
const ended = monotonicMs()
const { user, system } = process.cpuUsage(cpuBefore)
for (const connection of open) connection.close()
const result: LoadResult = {
  events: (due.length - failed) * batch,
  failed: failed * batch,
  refused,
  began,
  seconds: (ended - began) / 1000,
  cpuMicros: user + system,
  firstNumber,
  batch,
  due: Float64Array.from(due),
  answered: Float64Array.from(answered),
}
process.send?.(result, () => process.exit(0))
