import { createHash } from 'node:crypto'
import type { Acceptance } from '../../packages/server/src/accept/acceptor.ts'
import type { CheckedEvent } from '../../packages/server/src/core/checked-event.ts'
import { prepareEnvelope } from '../../packages/server/src/core/render.ts'
import { UNCUT } from '../../packages/server/test/uncut.ts'
import type { SimulatedNode } from './node.ts'
import type { World } from './world.ts'

/** An answer that a producer got. */
export interface Acknowledgement {
  eventId: string
  tenantId: string
  fingerprint: Uint8Array
  answer: Acceptance
}

export const TENANTS = ['acme', 'globex']
export const TYPES = ['agent.run.started', 'agent.run.completed', 'agent.tool_call.failed', 'acme.invoice.drafted']
const RUNS = ['run_a', 'run_b', 'run_c']
/** How long a producer waits for an answer before it asks again. */
const PATIENCE_MS = 700

export interface PublisherOptions {
  world: World
  events: number
  /** A node that is up, or `null`. */
  pickNode(): SimulatedNode | null
  /** Drawn for each event. */
  poison(eventId: string): void
  poisonShare: number
}

/** Producers that repeat until they have an answer, with the same id and now and then with other bytes (G2, G3). */
export class Publishers {
  readonly acknowledgements: Acknowledgement[] = []
  readonly #options: PublisherOptions
  #unfinished = 0

  constructor(options: PublisherOptions) {
    this.#options = options
  }

  get finished(): boolean {
    return this.#unfinished === 0
  }

  start(): void {
    const { world, events, poison, poisonShare } = this.#options
    for (let number = 0; number < events; number++) {
      const event = this.#event(`evt_${String(number).padStart(8, '0')}`, number)
      if (world.random.chance(poisonShare)) poison(event.eventId)
      const senders = world.random.chance(0.2) ? world.random.between(2, 4) : 1
      for (let sender = 0; sender < senders; sender++) {
        // One in five of those that share an id sends other bytes.
        const other = sender > 0 && world.random.chance(0.2)
        const own = other ? { ...event, source: Buffer.concat([event.source, Buffer.from(' ')]) } : event
        this.#unfinished++
        world.after(world.random.between(0, 3000), () => void this.#publish(own))
      }
    }
  }

  async #publish(event: CheckedEvent): Promise<void> {
    const fingerprint = createHash('sha256').update(event.source).digest()
    for (;;) {
      const answer = await this.#ask(event, fingerprint)
      if (answer !== null) {
        this.acknowledgements.push({ eventId: event.eventId, tenantId: event.tenantId, fingerprint, answer })
        this.#unfinished--
        return
      }
      await this.#options.world.pause(this.#options.world.random.between(5, 200))
    }
  }

  /** One request; `null`: refused, lost, or no answer in time. */
  #ask(event: CheckedEvent, fingerprint: Uint8Array): Promise<Acceptance | null> {
    const { world, pickNode } = this.#options
    const node = pickNode()
    if (node === null) return Promise.resolve(null)
    return new Promise((resolve) => {
      world.after(PATIENCE_MS, () => resolve(null))
      void node.pause(world.random.between(0, 3), 'request read').then(async () => {
        try {
          const answer = await node.acceptor.accept(event, fingerprint, UNCUT)
          await node.pause(world.random.between(0, 2), 'committed, answer not sent')
          resolve(answer)
        } catch {
          resolve(null)
        }
      })
    })
  }

  #event(eventId: string, number: number): CheckedEvent {
    const { random, time } = this.#options.world
    const runId = random.chance(0.8) ? random.pick(RUNS) : null
    const now = 1_795_000_000_000 + Math.floor(time)
    const deadline = random.chance(0.1) ? now + random.between(200, 6000) : null
    const fields = {
      ...{ eventId, type: random.pick(TYPES), schemaVersion: 1, timestamp: now, expiresAt: deadline },
      ...{ mode: 'live' as const, tenantId: random.pick(TENANTS), runId, taskId: null, conversationId: null },
      ...{ agent: { id: 'simulated' }, traceId: null, causationId: null, metadata: null },
    }
    // Numbers that do not survive being parsed and written again.
    const data = Buffer.from(`{"n":${number}.0,"big":12345678901234567890,"e":1E400}`)
    const bytes = { source: data, dataStart: 0, dataEnd: data.length }
    return {
      ...fields,
      ...bytes,
      deadline,
      idempotencyKey: null,
      envelope: prepareEnvelope(fields),
      classes: 0,
      lifecycle: null,
    }
  }
}
