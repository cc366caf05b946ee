import { Dispatcher } from '../src/delivery/dispatcher.ts'
import { EndpointCache } from '../src/delivery/endpoint-cache.ts'
import type { Lane } from '../src/delivery/lane.ts'
import { acceptItem, attemptRecord, endpointRow, newId } from '../src/store/conformance/builders.ts'
import { MemoryStore } from '../src/store/memory/memory-store.ts'
import type { StoreHooks } from '../src/store/memory/state.ts'
import type { Claim, EndpointRow } from '../src/store/rows.ts'
import { openPlain } from './plain-vault.ts'
import { FakeClock, fakeRandom, gate, settled, type Gate } from './fake-clock.ts'

export interface Run {
  claim: Claim
  lane: Lane
  /** Puts a success on record and ends the run. */
  succeed(): Promise<void>
  /** Gives the claim back, due at this time, and ends the run. */
  release(dueAt: number): Promise<void>
  /** Ends the run by an error nobody expected. */
  fail(): Promise<void>
}

const LEASE_MS = 1_000_000_000

/** A dispatcher on a store in memory; each claim runs until the test ends it. */
export class DispatcherWorld {
  readonly clock = new FakeClock()
  readonly hooks: StoreHooks = {}
  readonly store = new MemoryStore({ clock: () => this.clock.monotonic(), hooks: this.hooks })
  readonly cache = new EndpointCache(this.store, openPlain)
  readonly errors: unknown[] = []
  /** In the order they began. */
  readonly runs: Run[] = []
  readonly dispatcher: Dispatcher
  covered = true
  /** The most that was in flight at once. */
  peak = 0
  readonly peaks = new Map<string, number>()
  readonly #inFlight = new Map<string, number>()

  constructor(maxInFlight = 320) {
    const nothing = () => {}
    this.dispatcher = new Dispatcher({
      ...{
        store: this.store,
        clock: this.clock,
        random: fakeRandom(),
        nodeId: 'node-a',
        cache: this.cache,
        maxInFlight,
      },
      lease: {
        covers: () => this.covered,
        ...{
          sinceRenewal: () => 0,
          failing: () => false,
          start: nothing,
          stop: async () => {},
          runOnce: async () => ({ alive: true }),
        },
      },
      run: (claim, lane) => this.#run(claim, lane),
      onError: (error) => this.errors.push(error),
    })
  }

  async join(nodeId = 'node-a'): Promise<this> {
    await this.store.joinNode({ nodeId, leaseMs: LEASE_MS })
    return this
  }

  async endpoint(input: Partial<EndpointRow> = {}): Promise<string> {
    const row = endpointRow({ maxInFlight: 10, ...input })
    await this.store.createEndpoint({ endpoint: row, maxPerTenant: 10_000 })
    return row.id
  }

  /** Accepts events for these endpoints and tells nobody. */
  async deliveries(endpointIds: string[], count = 1): Promise<void> {
    const { configVersion } = await this.store.loadMatchSet({ tenantId: 'default', mode: 'live' })
    const items = Array.from({ length: count }, () => {
      const targets = endpointIds.map((endpointId) => ({
        endpointId,
        deliveryId: newId('delivery'),
        grant: false,
        body: -1,
      }))
      return acceptItem({ targets, configVersion })
    })
    await this.store.acceptEvents({ nodeId: 'node-a', recordedAt: this.clock.now(), runEventBudget: 1000, items })
  }

  /** Claims one delivery in the name of a node that then dies, and rescues it: it is a suspect. */
  async suspect(endpointId: string): Promise<void> {
    await this.deliveries([endpointId])
    await this.store.joinNode({ nodeId: 'dead', leaseMs: 1 })
    await this.store.claimDue({ nodeId: 'dead', now: this.clock.now(), requests: [{ endpointId, limit: 1 }] })
    await this.clock.advance(1)
    await this.store.rescueClaims({ nodeId: 'node-a', now: this.clock.now(), limit: 10 })
  }

  /** Makes a verb wait, the next time it is called; before it does anything, or before it answers. */
  hold(verb: string, when: 'before' | 'after' = 'after'): Gate<void> {
    const held = gate()
    this.hooks[when] = async (name) => {
      if (name !== verb) return
      delete this.hooks[when]
      await held.promise
    }
    return held
  }

  /** The positions on record as in flight. */
  async held(): Promise<number[]> {
    const claims = await this.store.findClaims({ nodeId: 'node-a', limit: 1000 })
    return claims.map(({ position }) => position)
  }

  statuses(): string[] {
    return this.store.snapshot().deliveries.map(({ status, heldBy }) => (heldBy === null ? status : 'in flight'))
  }

  async #run(claim: Claim, lane: Lane): Promise<void> {
    const { endpointId } = claim
    const ended = gate()
    this.#count(endpointId, 1)
    const end = async (error?: Error) => {
      if (error === undefined) ended.open()
      else ended.fail(error)
      await settled()
    }
    this.runs.push({
      claim,
      lane,
      succeed: async () => {
        await this.store.recordAttempts({ nodeId: 'node-a', now: this.clock.now(), records: [attemptRecord(claim)] })
        await end()
      },
      release: async (dueAt) => {
        const { position, number } = claim
        await this.store.releaseClaims({
          nodeId: 'node-a',
          now: this.clock.now(),
          claims: [{ position, number, dueAt }],
        })
        this.dispatcher.dueAt(lane, dueAt)
        await end()
      },
      fail: () => end(new Error('a bug')),
    })
    try {
      await ended.promise
    } finally {
      this.#count(endpointId, -1)
    }
  }

  #count(endpointId: string, change: number): void {
    const now = (this.#inFlight.get(endpointId) ?? 0) + change
    this.#inFlight.set(endpointId, now)
    this.peaks.set(endpointId, Math.max(now, this.peaks.get(endpointId) ?? 0))
    const total = [...this.#inFlight.values()].reduce((sum, count) => sum + count, 0)
    this.peak = Math.max(this.peak, total)
  }
}
