import { percentile } from './distribution.ts'
import { answerTimes, load, type LoadOptions } from './load/load.ts'
import { peakMegabytes, readThreadTimes, threadsBetween, type ThreadTimes } from './machine/threads.ts'
import type { Receiver } from './receiver/receiver.ts'
import type { Server } from './server/server.ts'

/** How long deliveries may take to catch up with what was accepted. */
const CATCH_UP_MS = 60_000

/** Of times in milliseconds. */
export interface Latency {
  p50: number
  p99: number
}

export interface Delivered {
  events: number
  /** Events, and deliveries, a second from the first request to the last delivery. */
  perSecond: number
  deliveriesPerSecond: number
  /** CPU microseconds of the server process per event, delivery included, and what its threads had of that. */
  cpuPerEvent: number
  threads: ThreadTimes
  /** Share of the time that the server's main loop was busy. */
  loop: number
  /** From when a request was due to its 202. */
  answered: Latency
  /** From `recorded_at`, which has no fractions, to the receiver: up to 1 ms too much. */
  delivered: Latency
  /** From when a request was due to the receiver. */
  whole: Latency
  /** Resident megabytes of the server before and after, at most since its start, and the heap of its main thread. */
  megabytes: number
  megabytesBefore: number
  megabytesPeak: number
  heapMegabytes: number
  /** Connections that the server made to the receiver, for each delivery. */
  connections: number
  /** Processors that generator and receiver kept busy. */
  generatorCores: number
  receiverCores: number
}

export interface DeliveredOptions extends Omit<LoadOptions, 'url'> {
  key: string
  /** Deliveries of an event that are awaited. */
  deliveries: number
  /** Events that nobody waits for do not arrive. @default all of them do */
  arrives?: (number: number) => boolean
  /** Called once the last request was answered. */
  onAccepted?: () => void
}

/** Publishes, and waits until everything has arrived. @throws Error where something was refused or does not arrive */
export async function measureDelivered(
  server: Server,
  receiver: Receiver,
  { deliveries, arrives, ...options }: DeliveredOptions,
): Promise<Delivered> {
  await receiver.take()
  const before = await receiver.count()
  const looked = await server.look()
  const threads = readThreadTimes(server.pid)
  const sent = await load({ ...options, url: server.url })
  if (sent.failed > 0) throw new Error(`${sent.failed} events were refused: ${JSON.stringify(sent.refused)}`)
  const awaited = arrives === undefined ? sent.events : countOf(sent.events, sent.firstNumber, arrives)
  const { numbers, at, sinceRecorded } = await arrivalsOf(receiver, awaited * deliveries)
  const last = at.reduce((latest, time) => Math.max(latest, time), sent.began)
  const seconds = (last - sent.began) / 1000
  const now = await server.look()
  const cpu = now.cpu.user + now.cpu.system - looked.cpu.user - looked.cpu.system
  const { cpu: received, connections } = await receiver.count()
  const whole = at.map((time, index) => time - dueAt(sent, numbers[index] as number))
  return {
    events: sent.events,
    perSecond: sent.events / seconds,
    deliveriesPerSecond: (awaited * deliveries) / seconds,
    cpuPerEvent: cpu / sent.events,
    threads: threadsBetween(threads, readThreadTimes(server.pid), sent.events),
    loop:
      (now.loop.active - looked.loop.active) /
      (now.loop.active - looked.loop.active + now.loop.idle - looked.loop.idle),
    answered: latencyOf(answerTimes(sent)),
    delivered: latencyOf(sinceRecorded),
    whole: latencyOf(whole),
    megabytes: now.rss / 2 ** 20,
    megabytesBefore: looked.rss / 2 ** 20,
    megabytesPeak: peakMegabytes(server.pid),
    heapMegabytes: now.heapUsed / 2 ** 20,
    connections: (connections - before.connections) / (awaited * deliveries),
    generatorCores: sent.cpuMicros / 1e6 / sent.seconds,
    receiverCores: (received.user + received.system - before.cpu.user - before.cpu.system) / 1e6 / seconds,
  }
}

export function latencyOf(times: Float64Array): Latency {
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) }
}

interface Sent {
  due: Float64Array
  firstNumber: number
  batch: number
}

function dueAt({ due, firstNumber, batch }: Sent, number: number): number {
  return due[Math.floor((number - firstNumber) / batch)] as number
}

function countOf(events: number, first: number, arrives: (number: number) => boolean): number {
  let count = 0
  for (let number = first; number < first + events; number++) if (arrives(number)) count++
  return count
}

/** Waits for so many arrivals of numbered events. */
async function arrivalsOf(
  receiver: Receiver,
  count: number,
): Promise<{ [Name in 'numbers' | 'at' | 'sinceRecorded']: Float64Array }> {
  const deadline = performance.now() + CATCH_UP_MS
  const taken = { numbers: [] as number[], at: [] as number[], sinceRecorded: [] as number[] }
  for (;;) {
    const some = await receiver.take()
    for (const name of ['numbers', 'at', 'sinceRecorded'] as const)
      for (const value of some[name]) taken[name].push(value)
    if (taken.at.length >= count) break
    if (performance.now() > deadline) throw new Error(`${count - taken.at.length} of ${count} did not arrive`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return {
    numbers: Float64Array.from(taken.numbers),
    at: Float64Array.from(taken.at),
    sinceRecorded: Float64Array.from(taken.sinceRecorded),
  }
}
