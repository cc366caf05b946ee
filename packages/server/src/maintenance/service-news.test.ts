import { createHash } from 'node:crypto'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { beforeEach, describe, expect, it } from 'vitest'
import { SERVICE_TYPES } from '@runbell/sdk/catalog'
import { testCatalog } from '../../test/catalog.ts'
import { FakeClock, fakeRandom } from '../../test/fake-clock.ts'
import { createAcceptor } from '../accept/acceptor.ts'
import { FAILING_FOR_MS } from '../core/endpoint-health.ts'
import {
  ALL_EVENTS,
  acceptItem,
  attemptRecord,
  endpointRow,
  LIVE,
  T0,
  target,
  text,
} from '../store/conformance/builders.ts'
import { MemoryStore } from '../store/memory/memory-store.ts'
import type { StoreHooks } from '../store/memory/state.ts'
import type { Claim, EndpointRow } from '../store/rows.ts'
import { ServiceNews } from './service-news.ts'

const NODE = 'node-a'
const NO_SLOTS = { reserve: () => false, release() {}, start() {}, reconcile() {}, wake() {} }
const CATALOG = testCatalog()
const SCOPE = { mode: 'live', tenantId: null } as const

let clock: FakeClock
let hooks: StoreHooks
let store: MemoryStore
beforeEach(async () => {
  clock = new FakeClock(T0)
  hooks = {}
  store = new MemoryStore({ clock: () => 0, hooks })
  await store.joinNode({ nodeId: NODE, leaseMs: 60_000 })
  await add({ eventTypes: ['runbell.*'] })
})

async function add(input: Partial<EndpointRow> = {}): Promise<string> {
  const endpoint = endpointRow({ eventTypes: ['agent.*'], schemaVersions: {}, ...input })
  await store.createEndpoint({ endpoint, maxPerTenant: 500 })
  return endpoint.id
}

/** Another node, or another life of this one. */
function news(): ServiceNews {
  return new ServiceNews({
    store,
    acceptor: createAcceptor({ store, clock, random: fakeRandom(), nodeId: NODE, slots: NO_SLOTS }),
    clock,
    catalog: () => CATALOG,
    publicUrl: () => 'https://runbell.test',
    fingerprint: (bytes) => createHash('sha256').update(bytes).digest(),
  })
}

/** What one node or several at once do, in which as much time passes as it takes. */
async function during(...works: Promise<Record<string, number>>[]): Promise<number> {
  const state = { running: true }
  const all = Promise.all(works).finally(() => (state.running = false))
  all.catch(() => {})
  while (state.running) await clock.advance(5)
  return (await all).reduce((sum, counts) => sum + Object.values(counts).reduce((a, b) => a + b, 0), 0)
}

interface Told {
  event_id: string
  type: string
  tenant_id: string
  data: Record<string, unknown>
}

const ajv = new Ajv2020({ strict: false, validateFormats: false })
const validators = new Map<string, ValidateFunction>()

function validatorOf(type: string): ValidateFunction {
  const known = validators.get(type) ?? ajv.compile(SERVICE_TYPES.get(type)?.versions[0]?.schema ?? false)
  validators.set(type, known)
  return known
}

/** Oldest first; each is as its schema says. */
async function told(): Promise<Told[]> {
  const filter = { ...ALL_EVENTS.filter, types: ['runbell.*'] }
  const { rows } = await store.listEvents({ ...ALL_EVENTS, scope: SCOPE, filter })
  return rows.toReversed().map(({ body }) => {
    const event = JSON.parse(text(body) ?? '') as Told
    const validate = validatorOf(event.type)
    expect([event.type, validate(event.data), validate.errors]).toEqual([event.type, true, null])
    expect(event).toMatchObject({ agent: { id: 'runbell' } })
    return event
  })
}

async function deadLetter(endpointId: string): Promise<void> {
  const { configVersion } = await store.loadMatchSet({ tenantId: 'default', mode: 'live' })
  const items = [acceptItem({ configVersion, targets: [target(endpointId)] })]
  await store.acceptEvents({ nodeId: NODE, recordedAt: T0, runEventBudget: 1000, items })
  const { claims } = await store.claimDue({ nodeId: NODE, now: T0, requests: [{ endpointId, limit: 1 }] })
  const verdict = { kind: 'dead_letter', reason: 'attempts_exhausted' } as const
  const records = [attemptRecord(claims[0] as Claim, { verdict, outcome: 'timeout', statusCode: null })]
  await store.recordAttempts({ nodeId: NODE, now: T0, records })
}

describe('what the service says', () => {
  it('of dead letters: one each, however many nodes say it', async () => {
    const endpointId = await add()
    for (let count = 0; count < 110; count++) await deadLetter(endpointId)
    await during(news().tell(), news().tell())
    const events = await told()
    expect(events).toHaveLength(110)
    expect(events[0]).toMatchObject({
      ...{ type: 'runbell.delivery.dead_lettered', tenant_id: 'default' },
      data: {
        ...{ endpoint_id: endpointId, event_type: 'agent.run.completed', status: 'dead_lettered', attempt_count: 1 },
        ...{ reason: 'attempts_exhausted', run_id: 'run-1', last_outcome: 'timeout' },
      },
    })
    expect(await store.findNotices({ limit: 1 })).toEqual([])
  })

  it('is said once where the answer to the commit got lost', async () => {
    await deadLetter(await add())
    let lost = 0
    hooks.after = (verb) => {
      if (verb === 'acceptEvents' && lost++ === 0) throw new Error('lost')
    }
    await expect(during(news().tell())).rejects.toThrow('lost')
    await during(news().tell())
    expect(await told()).toHaveLength(1)
  })

  it('of endpoints that are disabled, to whoever watches, and not to what is disabled', async () => {
    const endpointId = await add({ eventTypes: ['agent.*', 'runbell.*'], failingSince: T0 - 5 })
    const change = { kind: 'status', status: 'disabled', reason: 'requested' } as const
    await store.changeEndpoint({ scope: LIVE, endpointId, change, now: T0 })
    await during(news().tell())
    const failing_since = new Date(T0 - 5).toISOString()
    expect((await told()).map(({ type, data }) => [type, data])).toEqual([
      [
        'runbell.endpoint.disabled',
        { endpoint_id: endpointId, status: 'disabled', reason: 'requested', failing_since },
      ],
    ])
    const { rows } = await store.listEvents(ALL_EVENTS)
    expect(rows[0]?.deliveries.total).toBe(1)
  })

  it('of an endpoint of all tenants goes to those of all tenants', async () => {
    await add({ tenantId: '*', eventTypes: ['runbell.*'] })
    const endpointId = await add({ tenantId: '*' })
    const change = { kind: 'status', status: 'disabled', reason: null } as const
    await store.changeEndpoint({ scope: LIVE, endpointId, change, now: T0 })
    await during(news().tell())
    expect(await told()).toMatchObject([{ tenant_id: '*', data: { endpoint_id: endpointId, reason: 'unknown' } }])
    expect((await store.listEvents(ALL_EVENTS)).rows[0]?.deliveries.total).toBe(1)
  })

  it('of an endpoint that fails: at 50, 70 and 90 percent, once each, whoever looks and after a crash', async () => {
    const endpointId = await add({ failingSince: T0 })
    const levels = async () => (await told()).map(({ data }) => data['percent_elapsed'])
    const at = async (percent: number) => {
      await clock.advance(Math.max(0, T0 + (FAILING_FOR_MS * percent) / 100 - clock.now()))
      await during(news().warn(), news().warn())
      return levels()
    }
    expect(await at(49)).toEqual([])
    expect(await at(50)).toEqual([50])
    expect(await at(69)).toEqual([50])
    expect(await at(71)).toEqual([50, 70])
    expect(await at(99)).toEqual([50, 70, 90])
    expect((await told())[2]?.data).toEqual({
      ...{ endpoint_id: endpointId, status: 'enabled', percent_elapsed: 90 },
      ...{ failing_since: new Date(T0).toISOString(), disabled_at: new Date(T0 + FAILING_FOR_MS).toISOString() },
    })
  })

  it('asks the store once whether a warning was given', async () => {
    await add({ failingSince: T0 - FAILING_FOR_MS / 2 })
    const node = news()
    expect(await during(node.warn())).toBe(1)
    let asked = 0
    hooks.before = (verb) => void (asked += verb === 'acceptEvents' ? 1 : 0)
    expect(await during(node.warn())).toBe(0)
    expect(asked).toBe(0)
  })
})
