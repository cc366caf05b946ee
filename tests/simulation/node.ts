import { createAcceptor, type Acceptor } from '../../packages/server/src/accept/acceptor.ts'
import type { Clock } from '../../packages/server/src/core/clock.ts'
import { createEngine, type Engine } from '../../packages/server/src/delivery/engine.ts'
import { StoreUnavailable, type Store } from '../../packages/server/src/store/store.ts'
import { createService } from '../../packages/server/src/delivery/service.ts'
import { Retention, type Times } from '../../packages/server/src/maintenance/retention.ts'
import { openPlain } from '../../packages/server/test/plain-vault.ts'
import type { Network } from './network.ts'
import type { World } from './world.ts'

/** Longer than an attempt's time-out plus the engine's margin, as in production. */
export const LEASE_MS = 9000
export const TIMEOUT_MS = 1000

export interface NodeOptions {
  world: World
  network: Network
  store: Store
  id: string
  wrap: ((store: Store, node: SimulatedNode) => Store) | undefined
  /** Payloads older than this many ms are removed; `null`: none. */
  keepPayloadsMs: number | null
  /** How far its wall clock is off, in ms; may change while it runs. */
  wallOffset(): number
  /** Told of places where a plan may kill it. */
  onPoint(node: SimulatedNode, point: string): void
}

/** One process: an engine and an acceptor on their own clock, which can be killed or frozen at any await. */
export class SimulatedNode {
  readonly id: string
  readonly acceptor: Acceptor
  readonly engine: Engine
  readonly store: Store
  readonly clock: Clock
  alive = true
  /** Nothing of this node goes on before then. */
  frozenUntil = 0
  longestFreeze = 0
  readonly #options: NodeOptions

  constructor(options: NodeOptions) {
    this.#options = options
    const { world, network, id } = options
    this.id = id
    this.clock = this.#makeClock()
    this.store = this.#reach(options.wrap?.(options.store, this) ?? options.store)
    this.engine = createEngine({
      store: this.store,
      clock: this.clock,
      random: world.random,
      transport: { send: (request) => network.send(this, request), close: async () => {} },
      open: openPlain,
      sign: ({ secrets }) => secrets.map((secret) => secret.id).join(' '),
      nodeId: id,
      userAgent: 'simulation',
      maxInFlight: 12,
      leaseMs: LEASE_MS,
      pollMs: 500,
      onError: () => {},
    })
    this.acceptor = createAcceptor({
      store: this.store,
      clock: this.clock,
      random: world.random,
      nodeId: id,
      slots: this.engine.slots,
    })
  }

  async start(): Promise<void> {
    await this.engine.start()
    const { keepPayloadsMs } = this.#options
    if (keepPayloadsMs !== null) this.#removePayloads(keepPayloadsMs)
  }

  #removePayloads(keepMs: number): void {
    const { store, clock } = this
    const [kept, ever] = [keepMs, Number.MAX_SAFE_INTEGER].map((ms) => ({ live: ms, test: ms })) as [Times, Times]
    const times = { events: ever, bodies: kept, attempts: ever, idempotency: ever, audit: ever }
    const retention = new Retention({ store, clock, times, againMs: 500, stopping: () => !this.alive })
    createService({ clock, intervalMs: 100, runOnce: () => retention.runOnce(), onError: () => {} }).start()
  }

  /** Waits, if the node lives to see the end of it; while it is frozen, until it thaws. */
  async pause(ms: number, point?: string): Promise<void> {
    const { world, onPoint } = this.#options
    await world.pause(ms)
    if (this.alive && this.frozenUntil > world.time) await world.pause(this.frozenUntil - world.time)
    if (this.alive && point !== undefined) onPoint(this, point)
    if (!this.alive) await new Promise<never>(() => {})
  }

  /** As `kill -9`: nothing of it runs any more, and nobody it called hears of it. */
  kill(): void {
    this.alive = false
  }

  freeze(ms: number): void {
    this.longestFreeze = Math.max(this.longestFreeze, ms)
    this.frozenUntil = this.#options.world.time + ms
    this.#options.network.frozen(this.id, this.frozenUntil)
  }

  #makeClock(): Clock {
    const { world, wallOffset } = this.#options
    const START = 1_795_000_000_000
    return {
      now: () => START + Math.floor(world.time),
      wall: () => START + Math.floor(world.time) + wallOffset(),
      monotonic: () => world.time,
      after: (ms, run) => {
        let cancelled = false
        const cancel = world.after(ms, () => void this.pause(0).then(() => cancelled || run()))
        return () => {
          cancelled = true
          cancel()
        }
      },
    }
  }

  /** The store as this node sees it: calls take time, fail before or after the commit, and die with the node. */
  #reach(store: Store): Store {
    const { world, network } = this.#options
    const call = async (
      verb: string,
      method: (input: unknown) => Promise<unknown>,
      input: unknown,
    ): Promise<unknown> => {
      await this.pause(world.random.between(0, 2), `before ${verb}`)
      if (world.random.chance(network.rates.storeBefore)) throw new StoreUnavailable('unavailable', 'simulated')
      const answer = await method.call(store, input)
      await this.pause(world.random.between(0, 2), `after ${verb}`)
      if (world.random.chance(network.rates.storeAfter))
        throw new StoreUnavailable('unavailable', 'simulated, answer lost')
      return answer
    }
    return new Proxy(store, {
      get: (target, verb) => {
        const method = Reflect.get(target, verb) as unknown
        if (typeof method !== 'function') return method
        return (input: unknown) => call(String(verb), method as (input: unknown) => Promise<unknown>, input)
      },
    })
  }
}
