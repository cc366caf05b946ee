import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { testCatalog } from '../../test/catalog.ts'
import { FakeClock, fakeRandom } from '../../test/fake-clock.ts'
import { createAcceptor, type Acceptor } from '../accept/acceptor.ts'
import {
  acceptItem,
  ALL_EVENTS,
  endpointRow,
  LIVE,
  newId,
  ONE_PAGE,
  T0,
  target,
  text,
  type ItemInput,
} from '../store/conformance/builders.ts'
import { MemoryStore } from '../store/memory/memory-store.ts'
import type { StoreHooks } from '../store/memory/state.ts'
import type { EndpointRow, EventRow } from '../store/rows.ts'
import type { Store } from '../store/store.ts'
import { announceUndelivered } from './announcer.ts'

const NODE = 'node-a'
const TYPE = 'runbell.approval.undelivered'
const CATALOG = testCatalog()
const NO_SLOTS = { reserve: () => false, release() {}, start() {}, reconcile() {}, wake() {} }

/** A store with endpoints, and a service that tells of what they did not get. */
class World {
  readonly clock = new FakeClock(T0)
  readonly hooks: StoreHooks = {}
  readonly store = new MemoryStore({ clock: () => 0, hooks: this.hooks })
  readonly #acceptor = this.acceptor()

  acceptor(store: Store = this.store): Acceptor {
    const { clock } = this
    return createAcceptor({ store, clock, random: fakeRandom(), nodeId: NODE, slots: NO_SLOTS })
  }

  async endpoint(input: Partial<EndpointRow> = {}): Promise<string> {
    await this.store.joinNode({ nodeId: NODE, leaseMs: 60_000 })
    const endpoint = endpointRow({ eventTypes: ['*'], schemaVersions: {}, ...input })
    await this.store.createEndpoint({ endpoint, maxPerTenant: 10 })
    return endpoint.id
  }

  /** A request for approval on its way to the endpoint. */
  async request(endpointId: string, input: ItemInput = {}) {
    const { configVersion } = await this.store.loadMatchSet({ tenantId: 'default', mode: 'live' })
    const one = target(endpointId)
    const data = `{"approval_id":"${newId('run')}","status":"pending"}`
    const item = acceptItem({ type: 'agent.approval.requested', data, ...input, configVersion, targets: [one] })
    const batch = { nodeId: NODE, recordedAt: T0, runEventBudget: 1000, items: [item] }
    const [result] = await this.store.acceptEvents(batch)
    if (result?.kind !== 'accepted') throw new Error('not accepted')
    return { deliveryId: one.deliveryId, eventPosition: result.position, item }
  }

  async cancel(deliveryId: string, scope = LIVE): Promise<void> {
    expect(await this.store.cancelDelivery({ scope, deliveryId, now: T0 })).not.toBeNull()
  }

  async cancelled(endpointId: string): Promise<string> {
    const { deliveryId } = await this.request(endpointId)
    await this.cancel(deliveryId)
    return deliveryId
  }

  /** One round, in which as much time passes as it takes. */
  async announce(input: { store?: Store; acceptor?: Acceptor } = {}): Promise<{ announced: number }> {
    const state = { running: true }
    const round = announceUndelivered({
      store: input.store ?? this.store,
      acceptor: input.acceptor ?? this.#acceptor,
      clock: this.clock,
      catalog: () => CATALOG,
      publicUrl: () => 'https://runbell.test',
      fingerprint: (bytes) => createHash('sha256').update(bytes).digest(),
    }).finally(() => (state.running = false))
    // Whoever asked hears of it below.
    round.catch(() => {})
    while (state.running) await this.clock.advance(5)
    return round
  }

  async told(scope = LIVE): Promise<EventRow[]> {
    const filter = { ...ALL_EVENTS.filter, types: [TYPE] }
    return (await this.store.listEvents({ scope, filter, page: ONE_PAGE })).rows.toReversed()
  }

  async toldOf(): Promise<unknown[]> {
    return (await this.told()).map(({ body }) => (JSON.parse(text(body) as string) as Told).data.delivery_id)
  }
}

interface Told {
  recorded_at: string
  timestamp: string
  agent: unknown
  tenant_id: string
  data: { delivery_id: string; status: string; reason: string }
}

describe('the announcer', () => {
  it('tells of each request for approval that ended expired, dead-lettered or cancelled, and of nothing else', async () => {
    const world = new World()
    const { store } = world
    const endpointId = await world.endpoint()
    const dead = await world.request(endpointId)
    const requests = [{ endpointId, limit: 1 }]
    const { claims } = await store.claimDue({ nodeId: NODE, now: T0, requests })
    const verdict = { kind: 'dead_letter', reason: 'attempts_exhausted' } as const
    const seen = { startedAt: T0, durationMs: 1, trigger: 'scheduled', outcome: 'timeout', statusCode: null } as const
    const rest = { requestHeaders: [], responseHeaders: {}, excerpt: null, truncated: false, endpointEffect: null }
    const phases = { dns: null, connect: null, tls: null, wait: null }
    const records = claims.map(({ position, number }) => ({ position, number, ...seen, ...rest, phases, verdict }))
    await store.recordAttempts({ nodeId: NODE, now: T0, records })
    const late = await world.request(endpointId, { deadline: T0 + 5 })
    await store.expireDeliveries({ now: T0 + 9, limit: 9 })
    const cancelled = await world.cancelled(endpointId)
    await world.request(endpointId)
    await world.cancel((await world.request(endpointId, { type: 'agent.run.completed' })).deliveryId)
    expect(await world.announce()).toEqual({ announced: 3 })
    const events = (await world.told()).map(({ body }) => JSON.parse(text(body) as string) as Told)
    expect(events.map(({ data }) => [data.delivery_id, data.status, data.reason])).toEqual([
      [dead.deliveryId, 'dead_lettered', 'attempts_exhausted'],
      [late.deliveryId, 'expired', 'deadline_passed'],
      [cancelled, 'cancelled', 'requested'],
    ])
    for (const event of events) {
      expect(event).toMatchObject({ agent: { id: 'runbell' }, tenant_id: 'default' })
      expect(event.timestamp).toMatch(/^2026-01-05T12:00:00\.\d{3}Z$/)
    }
  })

  it('tells once, however often it runs', async () => {
    const world = new World()
    const deliveryId = await world.cancelled(await world.endpoint())
    expect(await world.announce()).toEqual({ announced: 1 })
    expect(await world.announce()).toEqual({ announced: 0 })
    expect(await world.toldOf()).toEqual([deliveryId])
  })

  it('tells once when two nodes find the same at the same time', async () => {
    const world = new World()
    const endpointId = await world.endpoint()
    const ended = [await world.cancelled(endpointId), await world.cancelled(endpointId)]
    const rounds = [world.announce({ acceptor: world.acceptor() }), world.announce({ acceptor: world.acceptor() })]
    await Promise.all(rounds)
    expect(new Set(await world.toldOf())).toEqual(new Set(ended))
    expect(await world.told()).toHaveLength(2)
    expect(await world.announce()).toEqual({ announced: 0 })
  })

  it('tells of very many in one round', async () => {
    const world = new World()
    const endpointId = await world.endpoint()
    const ended = new Set<unknown>()
    for (let count = 0; count < 250; count++) ended.add(await world.cancelled(endpointId))
    expect(await world.announce()).toEqual({ announced: 250 })
    expect(new Set(await world.toldOf())).toEqual(ended)
  })

  it('keeps tenants and modes apart', async () => {
    const world = new World()
    const scope = { mode: 'test', tenantId: 'other' } as const
    const endpointId = await world.endpoint(scope)
    const { deliveryId, item } = await world.request(endpointId, scope)
    await world.cancel(deliveryId, scope)
    expect(await world.announce()).toEqual({ announced: 1 })
    expect(await world.told()).toEqual([])
    const [event] = await world.told(scope)
    expect(event?.eventId).toMatch(/^evt_test_undelivered_/)
    expect(JSON.parse(text(event?.body ?? null) ?? '')).toMatchObject({
      ...{ mode: 'test', tenant_id: 'other', causation_id: item.eventId },
    })
  })
})

describe('the announcer and crashes', () => {
  for (const when of ['before', 'after'] as const) {
    it(`tells once where the process dies ${when} the commit`, async () => {
      const world = new World()
      const deliveryId = await world.cancelled(await world.endpoint())
      world.hooks[when] = (verb) => {
        if (verb === 'acceptEvents') throw new Error('died')
      }
      await expect(world.announce()).rejects.toThrow('died')
      expect(await world.toldOf()).toHaveLength(when === 'before' ? 0 : 1)
      delete world.hooks[when]
      expect(await world.announce()).toEqual({ announced: when === 'before' ? 1 : 0 })
      expect(await world.toldOf()).toEqual([deliveryId])
    })
  }

  it('tells of the others where one goes wrong, and says what it was', async () => {
    const world = new World()
    const endpointId = await world.endpoint()
    const broken = await world.request(endpointId, { tenantId: 'default', data: '{"approval_id":"apr_1"}' })
    await world.cancel(broken.deliveryId)
    const other = await world.cancelled(endpointId)
    const store = Object.create(world.store) as Store
    store.findUnannounced = async (input) => {
      const found = await world.store.findUnannounced(input)
      return found.map((row) => (row.deliveryId === broken.deliveryId ? { ...row, body: Buffer.from('{') } : row))
    }
    await expect(world.announce({ store })).rejects.toThrow(/cannot be read again/)
    expect(await world.toldOf()).toEqual([other])
    await world.announce()
    expect(await world.toldOf()).toEqual([other, broken.deliveryId])
  })
})

describe('the announcer and what comes after', () => {
  it('is not about the deliveries of what it says itself', async () => {
    const world = new World()
    const endpointId = await world.endpoint({ eventTypes: ['*', 'runbell.*'] })
    await world.cancelled(endpointId)
    await world.announce()
    const filter = { eventPosition: null, statuses: [], endpointId, runId: null, types: [TYPE], errorCode: null }
    const scoped = { scope: LIVE, filter: { ...filter, since: null, until: null, deadLetters: false } }
    const { rows } = await world.store.listDeliveries({ ...scoped, page: ONE_PAGE })
    expect(rows).toMatchObject([{ status: 'pending', eventType: TYPE, classes: 1 }])
    await world.cancel(rows[0]?.id as string)
    expect(await world.announce()).toEqual({ announced: 0 })
  })

  it('does not reach endpoints that did not name it', async () => {
    const world = new World()
    await world.cancelled(await world.endpoint({ eventTypes: ['*'] }))
    await world.announce()
    expect(await world.told()).toMatchObject([{ deliveries: { total: 0 } }])
  })

  it('tells again of each time a delivery ends after a replay, also where no attempt was made', async () => {
    const world = new World()
    const { deliveryId, eventPosition } = await world.request(await world.endpoint())
    for (let time = 0; time < 3; time++) {
      await world.cancel(deliveryId)
      expect(await world.announce()).toEqual({ announced: 1 })
      const replay = { eventPosition, target: { kind: 'all' }, newDeliveryId: newId('delivery'), now: T0 } as const
      await world.store.replayDeliveries(replay)
      expect(await world.announce()).toEqual({ announced: 0 })
    }
    expect(await world.toldOf()).toEqual([deliveryId, deliveryId, deliveryId])
    expect(new Set((await world.told()).map(({ eventId }) => eventId)).size).toBe(3)
  })
})
