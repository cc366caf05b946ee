import { describe, expect, it } from 'vitest'
import type { ReadScope } from '../rows.ts'
import { acceptItem, ANY_DELIVERY, ANY_EVENT, apiKeyRow, LIVE, ONE_PAGE, secretRow, T0 } from './builders.ts'
import { FIRST_NODE, type OneDelivery, type StoreSuite } from './suite.ts'

interface World {
  delivery: OneDelivery
  endpointId: string
  keyId: string
}

/** Something of every kind that belongs to tenant `mine` in live mode. */
async function build(suite: StoreSuite): Promise<World> {
  const { id: endpointId } = await suite.endpoint({ tenantId: 'mine' })
  const key = apiKeyRow({ tenantId: 'mine' })
  await suite.store.putApiKey({ key })
  const delivery = await suite.delivery({ endpointId, item: { tenantId: 'mine' } })
  return { delivery, endpointId, keyId: key.id }
}

/** How many things of the world each reading verb shows. */
async function seen(suite: StoreSuite, scope: ReadScope, { delivery }: World): Promise<Record<string, number>> {
  const { store } = suite
  const { deliveryId, endpointId, item, event } = delivery
  const byFilter = { ...ANY_DELIVERY, eventPosition: event.position, endpointId, runId: item.runId }
  const one = (value: unknown) => (value === null ? 0 : 1)
  return {
    findEvents: (await store.findEvents({ scope, eventId: item.eventId })).length,
    listEvents: (await store.listEvents({ scope, filter: ANY_EVENT, page: ONE_PAGE })).rows.length,
    listEventsOfRun: (await store.listEvents({ scope, filter: { ...ANY_EVENT, runId: item.runId }, page: ONE_PAGE }))
      .rows.length,
    findDelivery: one(await store.findDelivery({ scope, deliveryId })),
    listDeliveries: (await store.listDeliveries({ scope, filter: ANY_DELIVERY, page: ONE_PAGE })).rows.length,
    listDeliveriesBy: (await store.listDeliveries({ scope, filter: byFilter, page: ONE_PAGE })).rows.length,
    listAttempts: one(await store.listAttempts({ scope, deliveryId })),
    findEndpoint: one(await store.findEndpoint({ scope, endpointId })),
    listEndpoints: (await store.listEndpoints({ scope, page: ONE_PAGE })).rows.length,
    listApiKeys: (await store.listApiKeys({ scope, page: ONE_PAGE })).rows.length,
  }
}

export function isolationTests(suite: StoreSuite): void {
  hidden(suite)
  untouched(suite)
}

function hidden(suite: StoreSuite): void {
  describe('isolation: reading', () => {
    const scopes: [string, ReadScope, number][] = [
      ['its own tenant', { mode: 'live', tenantId: 'mine' }, 1],
      ['a reader of all tenants', { mode: 'live', tenantId: null }, 1],
      ['another tenant', { mode: 'live', tenantId: 'other' }, 0],
      ['the tenant in the other mode', { mode: 'test', tenantId: 'mine' }, 0],
      ['a reader of all tenants in the other mode', { mode: 'test', tenantId: null }, 0],
    ]
    for (const [name, scope, expected] of scopes) {
      it(`shows everything once or nothing to ${name}: ${expected}`, async () => {
        const counts = await seen(suite, scope, await build(suite))
        expect(counts).toEqual(Object.fromEntries(Object.keys(counts).map((verb) => [verb, expected])))
      })
    }

    it('finds two events when two tenants use one id, and each tenant its own', async () => {
      const item = acceptItem({ tenantId: 'mine' })
      const twin = acceptItem({ tenantId: 'other', eventId: item.eventId, data: '{"a":1}' })
      const third = acceptItem({ tenantId: 'third', eventId: item.eventId, data: '{"a":2}' })
      await suite.accept([item, twin])
      const find = async (tenantId: string | null) => {
        const rows = await suite.store.findEvents({ scope: { mode: 'live', tenantId }, eventId: item.eventId })
        return rows.map((row) => row.tenantId).toSorted()
      }
      expect(await find(null)).toEqual(['mine', 'other'])
      expect(await find('mine')).toEqual(['mine'])
      expect(await find('other')).toEqual(['other'])
      await suite.accept([third])
      expect(await find(null)).toHaveLength(2)
    })

    it('keeps what belongs to no single tenant from the readers of one', async () => {
      const wide = await suite.endpoint({ tenantId: '*' })
      const unbound = apiKeyRow({ tenantId: null })
      await suite.store.putApiKey({ key: unbound })
      const { deliveryId } = await suite.delivery({ endpointId: wide.id, item: { tenantId: 'mine' } })
      const scope: ReadScope = { mode: 'live', tenantId: 'mine' }
      expect(await suite.store.findEndpoint({ scope, endpointId: wide.id })).toBeNull()
      expect((await suite.store.listEndpoints({ scope, page: ONE_PAGE })).rows).toEqual([])
      expect((await suite.store.listApiKeys({ scope, page: ONE_PAGE })).rows).toEqual([])
      // The delivery is the tenant's own, whoever owns the endpoint.
      expect(await suite.store.findDelivery({ scope, deliveryId })).toMatchObject({ tenantId: 'mine' })
      expect(await suite.store.findEndpoint({ scope: LIVE, endpointId: wide.id })).not.toBeNull()
    })
  })
}

function untouched(suite: StoreSuite): void {
  describe('isolation: changing', () => {
    const foreign: ReadScope[] = [
      { mode: 'live', tenantId: 'other' },
      { mode: 'test', tenantId: 'mine' },
      { mode: 'test', tenantId: null },
    ]
    it('changes nothing of other tenants or of the other mode', async () => {
      const { delivery, endpointId, keyId } = await build(suite)
      const { deliveryId } = delivery
      const { store } = suite
      const before = await store.findEndpoint({ scope: LIVE, endpointId })
      for (const scope of foreign) {
        const changes = [
          { kind: 'patch', patch: { description: 'x' } },
          { kind: 'status', status: 'paused', reason: null },
          { kind: 'delete' },
          { kind: 'add_secret', secret: secretRow(), retireAt: T0, max: 5 },
          { kind: 'remove_secret', secretId: before?.secrets[0]?.id as string },
        ] as const
        for (const change of changes) {
          expect(await store.changeEndpoint({ scope, endpointId, change, now: T0 })).toBeNull()
        }
        expect(await store.cancelDelivery({ scope, deliveryId, now: T0 })).toBeNull()
        expect(await store.revokeApiKey({ scope, keyId, now: T0 })).toBe(false)
      }
      expect(await store.findEndpoint({ scope: LIVE, endpointId })).toEqual(before)
      await suite.deadLetter(FIRST_NODE, endpointId)
      for (const scope of foreign) {
        expect(await store.discardDeadLetter({ scope, deliveryId, note: null, now: T0 })).toBeNull()
      }
      expect(await suite.row(deliveryId)).toMatchObject({ status: 'dead_lettered', discardedAt: null })
      expect((await store.findApiKey({ keyId })).key).not.toBeNull()
    })
  })
}
