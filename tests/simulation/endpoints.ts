import type { EndpointRow, SecretRow } from '../../packages/server/src/store/rows.ts'
import { TIMEOUT_MS, type SimulatedNode } from './node.ts'
import type { ObservedStore } from './observed-store.ts'
import { TENANTS } from './publishers.ts'
import type { World } from './world.ts'

export const RETRY_SCHEDULE = [200, 400, 800, 1600]
const MAX_SECRETS = 5
/** An old secret goes on signing for this long. */
const OVERLAP_MS = 8000
const START = 1_795_000_000_000

/** What the subscriber of an endpoint knows. */
export interface Subscriber {
  url: string
  maxInFlight: number
  secrets: { id: string; since: number; until: number }[]
}

/** The endpoints of a simulation, and the people who change them while it runs. */
export class Endpoints {
  readonly subscribers = new Map<string, Subscriber>()
  readonly #world: World
  readonly #store: ObservedStore
  readonly #nodes: () => SimulatedNode[]
  readonly #paused = new Set<string>()
  readonly #tenantOf = new Map<string, string>()
  #count = 0

  constructor(world: World, store: ObservedStore, nodes: () => SimulatedNode[]) {
    this.#world = world
    this.#store = store
    this.#nodes = nodes
  }

  async create(): Promise<string> {
    const { random } = this.#world
    const id = `ep_${++this.#count}`
    const secret = this.#secret(id)
    const maxInFlight = random.between(1, 4)
    const endpoint: EndpointRow = {
      ...{ position: 0, id, tenantId: random.pick(TENANTS), mode: 'live', kind: 'http', url: `https://${id}.example/` },
      ...{ description: '', eventTypes: random.pick([[], ['agent.*'], ['agent.run.*'], ['acme.*']]), filter: null },
      ...{
        dataClasses: ['public'],
        schemaVersions: {},
        format: 'runbell',
        headers: {},
        headerPrefix: null,
        timeoutMs: TIMEOUT_MS,
      },
      ...{
        maxInFlight,
        rateLimit: null,
        ordering: random.pick(['none', 'none', 'run']),
        // What a dead letter holds never ends by itself, and here everything has to.
        orderingOnDeadLetter: 'skip',
        retrySchedule: random.pick([RETRY_SCHEDULE, RETRY_SCHEDULE, []]),
        signing: 'hmac',
      },
      ...{ status: 'enabled', disabledReason: null, disabledAt: null, failingSince: null },
      ...{ createdAt: this.#now(), updatedAt: this.#now(), secrets: [secret] },
    }
    const made = await this.#store.createEndpoint({ endpoint, maxPerTenant: 500 })
    const known = { id: secret.id, since: this.#world.time, until: Infinity }
    this.subscribers.set(id, { url: endpoint.url as string, maxInFlight, secrets: [known] })
    this.#tenantOf.set(id, endpoint.tenantId)
    this.#tell(id, made?.configVersion ?? 0)
    return id
  }

  /** Something an operator does at some time. */
  async change(): Promise<void> {
    const { random } = this.#world
    const id = random.pick([...this.subscribers.keys()])
    const action = random.pick(['create', 'pause', 'resume', 'delete', 'rotate', 'rotate'] as const)
    if (action === 'create') await this.create()
    else if (action === 'rotate') await this.#rotate(id)
    else if (action === 'delete') await this.#apply(id, { kind: 'delete' })
    else await this.#setPaused(id, action === 'pause')
  }

  /** Nothing stays held for ever. */
  async resumeAll(): Promise<void> {
    for (const id of [...this.#paused]) await this.#setPaused(id, false)
  }

  async #setPaused(id: string, paused: boolean): Promise<void> {
    if (paused) this.#paused.add(id)
    else this.#paused.delete(id)
    await this.#apply(id, { kind: 'status', status: paused ? 'paused' : 'enabled', reason: null })
  }

  async #rotate(id: string): Promise<void> {
    const secret = this.#secret(id)
    const retireAt = this.#now() + OVERLAP_MS
    if (!(await this.#apply(id, { kind: 'add_secret', secret, retireAt, max: MAX_SECRETS }))) return
    const { secrets } = this.subscribers.get(id) as Subscriber
    const until = this.#world.time + OVERLAP_MS
    const older = secrets.filter((old) => old.until > this.#world.time)
    for (const old of older) old.until = Math.min(old.until, until)
    // Those beyond the limit stop at once, the oldest first.
    for (const old of older.slice(MAX_SECRETS - 1)) old.until = this.#world.time
    secrets.unshift({ id: secret.id, since: this.#world.time, until: Infinity })
  }

  async #apply(id: string, change: Parameters<ObservedStore['changeEndpoint']>[0]['change']): Promise<boolean> {
    const scope = { mode: 'live' as const, tenantId: this.#tenantOf.get(id) as string }
    const done = await this.#store.changeEndpoint({ scope, endpointId: id, change, now: this.#now() })
    if (done !== null) this.#tell(id, done.configVersion)
    return done !== null
  }

  /** The node that was asked knows at once, the others when they next hear from the store. */
  #tell(id: string, configVersion: number): void {
    const [node] = this.#nodes()
    node?.engine.wake({ endpointIds: [id], configVersion })
  }

  #secret(endpointId: string): SecretRow {
    const id = `sec_${endpointId}_${this.#world.random.between(0, 1e9)}`
    return { id, kind: 'hmac', value: id, publicKey: null, createdAt: this.#now(), expiresAt: null }
  }

  #now(): number {
    return START + Math.floor(this.#world.time)
  }
}
