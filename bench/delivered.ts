import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createApiKey } from '../packages/server/src/api/access/api-key.ts'
import { createSystemRandom } from '../packages/server/src/system.ts'
import type { Receiver } from './limits/receiver.ts'
import { load, type LoadOptions } from './load.ts'

const PROCESS = fileURLToPath(new URL('delivered-process.ts', import.meta.url))
/** How long deliveries may take to catch up with what was accepted. */
const CATCH_UP_MS = 30_000

export interface Delivered {
  /** Events a second from the first request to the last delivery. */
  perSecond: number
  /** CPU microseconds of the server process per event, delivery included. */
  cpuPerEvent: number
  /** Milliseconds from `recorded_at` to the receiver, by the clock of this machine. */
  p50: number
  p99: number
  /** Resident megabytes of the server afterwards. */
  megabytes: number
}

/** A server with an endpoint for each of the receiver's ports and a type of event for each endpoint. */
export class Delivery {
  readonly #child: ChildProcess
  readonly #receiver: Receiver
  readonly #url: string
  readonly #key: string
  readonly #dataDir: string

  private constructor(child: ChildProcess, receiver: Receiver, url: string, key: string, dataDir: string) {
    this.#child = child
    this.#receiver = receiver
    this.#url = url
    this.#key = key
    this.#dataDir = dataDir
  }

  static async start(folder: string, receiver: Receiver): Promise<Delivery> {
    const dataDir = await mkdtemp(join(folder, 'delivered-'))
    const { key } = createApiKey({ mode: 'live', scopes: ['admin'], now: Date.now(), random: createSystemRandom() })
    const child = fork(PROCESS, [dataDir, key])
    const [url] = (await once(child, 'message')) as [string]
    const delivery = new Delivery(child, receiver, url, key, dataDir)
    await delivery.#register()
    return delivery
  }

  /** Publishes, and waits until everything has arrived. @throws Error where something was refused or does not arrive */
  async measure(options: Omit<LoadOptions, 'url' | 'key' | 'types'>): Promise<Delivered> {
    const before = (await this.#receiver.look()).received
    const cpuBefore = await this.#look()
    const started = performance.now()
    const types = this.#receiver.origins.length
    const { events, failed } = await load({ ...options, types, url: this.#url, key: this.#key })
    if (failed > 0) throw new Error(`${failed} events were refused`)
    const latencies = await this.#untilArrived(before + events, started + options.seconds * 1000 + CATCH_UP_MS)
    const seconds = (performance.now() - started) / 1000
    const { cpu, memory } = await this.#look()
    const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN
    return {
      perSecond: events / seconds,
      cpuPerEvent: (cpu - cpuBefore.cpu) / events,
      p50: at(0.5),
      p99: at(0.99),
      megabytes: memory / 2 ** 20,
    }
  }

  async stop(): Promise<void> {
    this.#child.kill()
    await once(this.#child, 'exit')
    await rm(this.#dataDir, { recursive: true, force: true })
  }

  async #register(): Promise<void> {
    for (const [index, origin] of this.#receiver.origins.entries()) {
      const type = `bench.type_${index}.happened`
      const schema = { type: 'object', properties: { text: { type: 'string' } }, 'x-data-class': 'public' }
      await this.#post('/v1/event-types', { type, fact: 'Something happened.', schema, examples: [{ text: 'a' }] })
      await this.#post('/v1/endpoints', { url: `${origin}/hook`, event_types: [type] })
    }
  }

  async #post(path: string, body: unknown): Promise<void> {
    const headers = { authorization: `Bearer ${this.#key}`, 'content-type': 'application/json' }
    const response = await fetch(`${this.#url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    if (response.status !== 201) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  }

  async #untilArrived(count: number, deadline: number): Promise<number[]> {
    const all: number[] = []
    for (;;) {
      const { received, latencies } = await this.#receiver.look()
      for (const latency of latencies) all.push(latency)
      if (received >= count) return all.toSorted((a, b) => a - b)
      if (performance.now() > deadline) throw new Error(`${count - received} events did not arrive`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  async #look(): Promise<{ cpu: number; memory: number }> {
    const answer = once(this.#child, 'message') as Promise<[{ cpu: NodeJS.CpuUsage; memory: number }]>
    this.#child.send('look')
    const [{ cpu, memory }] = await answer
    return { cpu: cpu.user + cpu.system, memory }
  }
}
