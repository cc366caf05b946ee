import { describe, expect, it } from 'vitest'
import type { DataClass, Mode } from '@runbell/sdk/contract'
import { maskOf } from '../../core/data-classes.ts'
import type { EndpointRow } from '../rows.ts'
import { acceptItem, endpointRow, failedRecord, LIVE, ONE_PAGE, T0, target } from './builders.ts'
import { FIRST_NODE, type StoreSuite } from './suite.ts'

const NO_LIMITS = { eventsPerSecond: null, maxPending: null }

export function tenantTests(suite: StoreSuite): void {
  const put: Put = (maxDataClasses, { tenantId = 'default', mode = 'live', now = T0 + 5 } = {}) =>
    suite.store.putTenant({ mode, tenantId, maxDataClasses, limits: NO_LIMITS, decidesApprovals: false, now })
  keeping(suite, put)
  limiting(suite, put)
  narrowing(suite, put)
  publishing(suite)
}

type Put = (
  max: DataClass[] | null,
  where?: { tenantId?: string; mode?: Mode; now?: number },
) => ReturnType<StoreSuite['store']['putTenant']>

function keeping(suite: StoreSuite, put: Put): void {
  describe('tenants', () => {
    it('are kept, changed in their place, and listed newest first within the scope', async () => {
      const { tenant } = await put(['personal'])
      expect(tenant).toEqual({
        position: expect.any(Number),
        tenantId: 'default',
        mode: 'live',
        maxDataClasses: ['personal'],
        limits: NO_LIMITS,
        decidesSince: null,
        createdAt: T0 + 5,
        updatedAt: T0 + 5,
      })
      const second = await put([], { tenantId: 'other' })
      await put(['prompt'], { mode: 'test' })
      const changed = await put(null, { now: T0 + 9 })
      expect(changed.tenant).toEqual({ ...tenant, maxDataClasses: null, updatedAt: T0 + 9 })
      const all = { rows: [second.tenant, changed.tenant], next: null }
      expect(await suite.store.listTenants({ scope: LIVE, page: ONE_PAGE })).toEqual(all)
      const scope = { mode: 'test', tenantId: 'default' } as const
      expect((await suite.store.listTenants({ scope, page: ONE_PAGE })).rows).toMatchObject([{ mode: 'test' }])
      const stranger = { mode: 'live', tenantId: 'nobody' } as const
      expect((await suite.store.listTenants({ scope: stranger, page: ONE_PAGE })).rows).toEqual([])
    })

    it('come in pages', async () => {
      for (const tenantId of ['a', 'b', 'c']) await put([], { tenantId })
      const first = await suite.store.listTenants({ scope: LIVE, page: { limit: 2, after: null } })
      expect(first.rows.map(({ tenantId }) => tenantId)).toEqual(['c', 'b'])
      const second = await suite.store.listTenants({ scope: LIVE, page: { limit: 2, after: first.next } })
      expect(second.rows.map(({ tenantId }) => tenantId)).toEqual(['a'])
      expect(second.next).toBeNull()
    })

    it('raise the version of the configuration, and are there when the store is opened again', async (context) => {
      const before = await suite.configVersion()
      const { configVersion, tenant } = await put(['memory'])
      expect(configVersion).toBeGreaterThan(before)
      expect(await suite.configVersion()).toBe(configVersion)
      if (!(await suite.reopen())) return context.skip('this store keeps nothing after it is closed')
      expect((await suite.store.listTenants({ scope: LIVE, page: ONE_PAGE })).rows).toEqual([tenant])
    })
  })
}

function limiting(suite: StoreSuite, put: Put): void {
  const create = (input: Partial<EndpointRow>) =>
    suite.store.createEndpoint({ endpoint: endpointRow(input), maxPerTenant: 10 })
  const patch = (endpointId: string, change: Partial<EndpointRow>) =>
    suite.store.changeEndpoint({ scope: LIVE, endpointId, change: { kind: 'patch', patch: change }, now: T0 + 7 })

  describe('tenants: what their endpoints may be granted', () => {
    it('is a limit for new ones, of which nothing is kept', async () => {
      const { configVersion } = await put(['personal'])
      expect(await create({ dataClasses: ['personal', 'prompt'] })).toEqual({ kind: 'too_much', configVersion })
      expect((await suite.store.listEndpoints({ scope: LIVE, page: ONE_PAGE })).rows).toEqual([])
      expect(await create({ dataClasses: ['public', 'summary', 'personal'] })).toMatchObject({ kind: 'created' })
    })

    it('never leaves out public and summary', async () => {
      await put([])
      expect(await create({ dataClasses: ['public', 'summary'] })).toMatchObject({ kind: 'created' })
    })

    it('is each tenant’s and mode’s own, and nothing where nobody set it', async () => {
      await put([])
      const dataClasses: DataClass[] = ['prompt']
      expect(await create({ dataClasses, tenantId: 'other' })).toMatchObject({ kind: 'created' })
      expect(await create({ dataClasses, mode: 'test' })).toMatchObject({ kind: 'created' })
      await put(null)
      expect(await create({ dataClasses })).toMatchObject({ kind: 'created' })
    })

    it('refuses a change beyond it as a whole, and any other change goes on', async () => {
      await put(['personal'])
      const { id: endpointId } = await suite.endpoint({ dataClasses: ['personal'] })
      const before = await suite.store.findEndpoint({ scope: LIVE, endpointId })
      const version = await suite.configVersion()
      expect(await patch(endpointId, { dataClasses: ['personal', 'memory'], description: 'other' })).toBeNull()
      expect(await suite.store.findEndpoint({ scope: LIVE, endpointId })).toEqual(before)
      expect(await suite.configVersion()).toBe(version)
      expect(await patch(endpointId, { description: 'other' })).toMatchObject({ endpoint: { description: 'other' } })
      expect(await patch(endpointId, { dataClasses: [] })).toMatchObject({ endpoint: { dataClasses: [] } })
      expect(await patch(endpointId, { dataClasses: ['personal'] })).not.toBeNull()
    })

    it('ends nothing where the change is refused', async () => {
      const { id: endpointId } = await suite.endpoint({ dataClasses: ['personal'] })
      const { deliveryId } = await suite.delivery({ endpointId, item: { classes: maskOf(['personal']) } })
      await put(['personal'])
      expect(await patch(endpointId, { dataClasses: ['prompt'] })).toBeNull()
      expect(await suite.row(deliveryId)).toMatchObject({ status: 'pending' })
    })
  })
}

function narrowing(suite: StoreSuite, put: Put): void {
  const grantsOf = async (endpointId: string) =>
    (await suite.store.findEndpoint({ scope: LIVE, endpointId }))?.dataClasses

  describe('tenants: a lower limit', () => {
    it('takes from every endpoint what is more, and ends what would send it', async () => {
      const wide = await suite.endpoint({ dataClasses: ['public', 'personal', 'prompt'] })
      const within = await suite.endpoint({ dataClasses: ['summary', 'personal'] })
      const foreign = await suite.endpoint({ dataClasses: ['prompt'], tenantId: 'other' })
      const beyond = await suite.delivery({ endpointId: wide.id, item: { classes: maskOf(['prompt']) } })
      const kept = await suite.delivery({ endpointId: wide.id, item: { classes: maskOf(['personal']) } })
      const item = { classes: maskOf(['prompt']), tenantId: 'other' }
      const elsewhere = await suite.delivery({ endpointId: foreign.id, item })
      const { configVersion } = await put(['personal'])
      expect(await grantsOf(wide.id)).toEqual(['public', 'personal'])
      expect(await suite.row(beyond.deliveryId)).toMatchObject({
        ...{ status: 'cancelled', reason: 'policy_changed', nextAttemptAt: null, updatedAt: T0 + 5 },
      })
      for (const { deliveryId } of [kept, elsewhere]) {
        expect(await suite.row(deliveryId)).toMatchObject({ status: 'pending', updatedAt: T0 })
      }
      expect(await grantsOf(within.id)).toEqual(['summary', 'personal'])
      expect(await grantsOf(foreign.id)).toEqual(['prompt'])
      const updated = [wide, within].map(({ id }) => suite.store.findEndpoint({ scope: LIVE, endpointId: id }))
      expect(await Promise.all(updated)).toMatchObject([{ updatedAt: T0 + 5 }, { updatedAt: T0 }])
      const set = await suite.store.loadMatchSet({ tenantId: 'default', mode: 'live' })
      expect(set.configVersion).toBe(configVersion)
      expect(set.entries.map(({ dataClasses }) => dataClasses)).toEqual([
        ['public', 'personal'],
        ['summary', 'personal'],
      ])
    })

    it('makes stale what was matched before, and lets what is in flight end, without another attempt', async () => {
      const { id: endpointId } = await suite.endpoint({ dataClasses: ['prompt'] })
      const flying = await suite.delivery({ endpointId, item: { classes: maskOf(['prompt']) } })
      const claim = await suite.claimOne(FIRST_NODE, endpointId)
      const configVersion = await suite.configVersion()
      const item = acceptItem({ configVersion, classes: maskOf(['prompt']), targets: [target(endpointId)] })
      await put([])
      const batch = { nodeId: FIRST_NODE, recordedAt: T0, runEventBudget: 1000, items: [item] }
      expect(await suite.store.acceptEvents(batch)).toMatchObject([{ kind: 'stale' }])
      expect(await suite.row(flying.deliveryId)).toMatchObject({ status: 'pending', attemptCount: 1 })
      expect(await suite.record(FIRST_NODE, failedRecord(claim, T0 + 10))).toBe('recorded')
      expect(await suite.row(flying.deliveryId)).toMatchObject({ status: 'cancelled', reason: 'policy_changed' })
    })

    it('gives nothing back when it is raised again, and leaves deleted endpoints alone', async () => {
      const { id: endpointId } = await suite.endpoint({ dataClasses: ['prompt', 'memory'] })
      const gone = await suite.endpoint({ dataClasses: ['prompt'] })
      const change = { kind: 'delete' } as const
      await suite.store.changeEndpoint({ scope: LIVE, endpointId: gone.id, change, now: T0 })
      await put([])
      await put(null)
      expect(await grantsOf(endpointId)).toEqual([])
      expect(await suite.store.findEndpoint({ scope: LIVE, endpointId: gone.id })).toBeNull()
    })
  })
}

function publishing(suite: StoreSuite): void {
  describe('what a tenant may publish', () => {
    it('comes with what its events match, for that tenant and mode alone', async () => {
      const limits = { eventsPerSecond: 0.5, maxPending: 7 }
      const tenant = {
        mode: 'live',
        tenantId: 'default',
        maxDataClasses: null,
        decidesApprovals: false,
        now: T0,
      } as const
      const { configVersion } = await suite.store.putTenant({ ...tenant, limits })
      const ask = async (tenantId: string, mode: Mode) => (await suite.store.loadMatchSet({ tenantId, mode })).limits
      expect(await ask('default', 'live')).toEqual(limits)
      expect(await ask('default', 'test')).toEqual(NO_LIMITS)
      expect(await ask('other', 'live')).toEqual(NO_LIMITS)
      expect(await suite.configVersion()).toBe(configVersion)
      const { rows } = await suite.store.listTenants({ scope: LIVE, page: ONE_PAGE })
      expect(rows).toMatchObject([{ limits }])
    })

    it('counts the deliveries that wait, of one tenant in one mode, up to a limit', async () => {
      const count = (limit = 100, tenantId = 'default', mode: Mode = 'live') =>
        suite.store.countPending({ mode, tenantId, limit })
      expect(await count()).toBe(0)
      const waiting = [await suite.delivery(), await suite.delivery(), await suite.delivery()]
      const { endpointId } = await suite.delivery({ grant: true })
      await suite.delivery({ item: { tenantId: 'other' } })
      expect(await count()).toBe(3)
      expect(await count(2)).toBe(2)
      expect(await count(100, 'other')).toBe(1)
      expect(await count(100, 'default', 'test')).toBe(0)
      await suite.store.cancelDelivery({ scope: LIVE, deliveryId: waiting[0]?.deliveryId as string, now: T0 })
      expect(await count()).toBe(2)
      const claim = await suite.claimOne(FIRST_NODE, waiting[1]?.endpointId as string)
      expect(await count()).toBe(1)
      await suite.record(FIRST_NODE, failedRecord(claim, T0 + 99))
      expect(await count()).toBe(2)
      expect(await suite.claim(FIRST_NODE, endpointId)).toEqual([])
    })
  })
}
