import { describe, expect, it } from 'vitest'
import type { EndpointChange, EndpointRow } from '../rows.ts'
import { endpointRow, LIVE, ONE_PAGE, secretRow, T0 } from './builders.ts'
import type { StoreSuite } from './suite.ts'

export function endpointTests(suite: StoreSuite): void {
  creating(suite)
  changing(suite)
  matching(suite)
  versions(suite)
}

function creating(suite: StoreSuite): void {
  describe('endpoints: creating', () => {
    it('keeps every field and gives a position', async () => {
      const made = await suite.endpoint({ secrets: [secretRow({ expiresAt: T0 + 9 }), secretRow({ kind: 'ed25519' })] })
      const found = await suite.store.findEndpoint({ scope: LIVE, endpointId: made.id })
      expect(found).toEqual({ ...made, position: expect.any(Number) })
      expect(found?.position).toBeGreaterThan(0)
    })

    it('lists newest first, in pages', async () => {
      const made: string[] = []
      for (let count = 0; count < 3; count++) made.push((await suite.endpoint()).id)
      const first = await suite.store.listEndpoints({ scope: LIVE, page: { limit: 2, after: null } })
      expect(first.rows.map(({ id }) => id)).toEqual([made[2], made[1]])
      const second = await suite.store.listEndpoints({ scope: LIVE, page: { limit: 2, after: first.next } })
      expect(second.rows.map(({ id }) => id)).toEqual([made[0]])
      expect(second.next).toBeNull()
    })

    it('limits the endpoints of one tenant and mode; deleted ones do not count', async () => {
      const create = (input: Partial<EndpointRow> = {}) =>
        suite.store.createEndpoint({ endpoint: endpointRow(input), maxPerTenant: 2 })
      const first = await suite.endpoint()
      expect(await create()).not.toBeNull()
      expect(await create()).toBeNull()
      expect(await create({ tenantId: 'other' })).not.toBeNull()
      expect(await create({ mode: 'test' })).not.toBeNull()
      const change = { kind: 'delete' } as const
      await suite.store.changeEndpoint({ scope: LIVE, endpointId: first.id, change, now: T0 })
      expect(await create()).not.toBeNull()
      expect(await create()).toBeNull()
    })

    it('holds the limit when many are created at once', async () => {
      const calls = Array.from({ length: 10 }, () =>
        suite.store.createEndpoint({ endpoint: endpointRow(), maxPerTenant: 3 }),
      )
      expect((await Promise.all(calls)).filter((answer) => answer !== null)).toHaveLength(3)
    })

    it('makes one endpoint when the call is repeated, also at the limit', async () => {
      const endpoint = endpointRow()
      for (let time = 0; time < 2; time++) {
        expect(await suite.store.createEndpoint({ endpoint, maxPerTenant: 1 })).not.toBeNull()
      }
      expect((await suite.store.listEndpoints({ scope: LIVE, page: ONE_PAGE })).rows).toHaveLength(1)
    })
  })
}

function changing(suite: StoreSuite): void {
  describe('endpoints: changing', () => {
    const changeAt = (endpointId: string, change: EndpointChange, now: number) =>
      suite.store.changeEndpoint({ scope: LIVE, endpointId, change, now })

    it('patches the fields given and no others', async () => {
      const made = await suite.endpoint()
      const patch = { url: 'https://example.org/other', retrySchedule: [1, 2, 3], rateLimit: 5, headers: {} }
      const answer = await changeAt(made.id, { kind: 'patch', patch }, T0 + 3)
      const expected = { ...made, ...patch, position: expect.any(Number), updatedAt: T0 + 3 }
      expect(answer?.endpoint).toEqual(expected)
      expect(await suite.store.findEndpoint({ scope: LIVE, endpointId: made.id })).toEqual(expected)
      const none = await changeAt(made.id, { kind: 'patch', patch: { rateLimit: null } }, T0 + 4)
      expect(none?.endpoint).toMatchObject({ rateLimit: null, url: patch.url })
    })

    it('replaces the secrets by a patch that has some', async () => {
      const made = await suite.endpoint()
      const secrets = [secretRow(), secretRow()]
      const answer = await changeAt(made.id, { kind: 'patch', patch: { secrets } }, T0)
      expect(answer?.endpoint.secrets).toEqual(secrets)
    })

    it('disables with reason and time, and clears them when enabled', async () => {
      const { id } = await suite.endpoint({ failingSince: T0 - 5 })
      const disabled = await changeAt(id, { kind: 'status', status: 'disabled', reason: 'manual' }, T0 + 1)
      expect(disabled?.endpoint).toMatchObject({
        status: 'disabled',
        disabledReason: 'manual',
        disabledAt: T0 + 1,
        failingSince: T0 - 5,
      })
      const enabled = await changeAt(id, { kind: 'status', status: 'enabled', reason: null }, T0 + 2)
      const clear = { status: 'enabled', disabledReason: null, disabledAt: null, failingSince: null }
      expect(enabled?.endpoint).toMatchObject(clear)
      const paused = await changeAt(id, { kind: 'status', status: 'paused', reason: null }, T0 + 3)
      expect(paused?.endpoint).toMatchObject({ status: 'paused', disabledAt: null })
    })

    it('deletes: it is gone for every reader and cannot be changed', async () => {
      const { id } = await suite.endpoint()
      expect(await changeAt(id, { kind: 'delete' }, T0 + 1)).toMatchObject({ endpoint: { id } })
      expect(await suite.store.findEndpoint({ scope: LIVE, endpointId: id })).toBeNull()
      expect((await suite.store.listEndpoints({ scope: LIVE, page: ONE_PAGE })).rows).toEqual([])
      expect((await suite.store.loadEndpoints({ endpointIds: [id] })).endpoints).toEqual([])
      expect((await suite.store.loadMatchSet({ tenantId: 'default', mode: 'live' })).entries).toEqual([])
      expect(await changeAt(id, { kind: 'delete' }, T0 + 2)).toBeNull()
      expect(await changeAt(id, { kind: 'status', status: 'enabled', reason: null }, T0 + 2)).toBeNull()
    })

    it('keeps the deliveries of a deleted endpoint readable', async () => {
      const { deliveryId, endpointId } = await suite.delivery()
      await changeAt(endpointId, { kind: 'delete' }, T0)
      expect(await suite.row(deliveryId)).toMatchObject({ endpointId, status: 'pending' })
    })

    it('changes nothing that is not there', async () => {
      expect(await changeAt('ep_nobody', { kind: 'delete' }, T0)).toBeNull()
    })
  })
}

function matching(suite: StoreSuite): void {
  describe('endpoints: for matching and delivery', () => {
    it('gives the match set of a tenant and mode, with those for all tenants, without disabled ones', async () => {
      const mine = await suite.endpoint({ eventTypes: ['acme.*'], ordering: 'run' })
      const wide = await suite.endpoint({ tenantId: '*', eventTypes: ['*'] })
      const paused = await suite.endpoint({ status: 'paused', eventTypes: [] })
      await suite.endpoint({ status: 'disabled', disabledAt: T0, disabledReason: 'gone' })
      await suite.endpoint({ tenantId: 'other' })
      await suite.endpoint({ mode: 'test' })
      const set = await suite.store.loadMatchSet({ tenantId: 'default', mode: 'live' })
      const byId = set.entries.toSorted((a, b) => (a.endpointId < b.endpointId ? -1 : 1))
      const { filter, format, dataClasses, schemaVersions } = mine
      expect(filter).not.toBeNull()
      expect(byId).toEqual([
        { endpointId: mine.id, eventTypes: ['acme.*'], filter, ordering: 'run', format, dataClasses, schemaVersions },
        { endpointId: wide.id, eventTypes: ['*'], filter, ordering: 'none', format, dataClasses, schemaVersions },
        { endpointId: paused.id, eventTypes: [], filter, ordering: 'none', format, dataClasses, schemaVersions },
      ])
    })

    it('loads endpoints of any tenant and mode by id, whatever their status', async () => {
      const one = await suite.endpoint({ tenantId: 'other', mode: 'test' })
      const two = await suite.endpoint({ status: 'paused' })
      const answer = await suite.store.loadEndpoints({ endpointIds: [one.id, 'ep_nobody', two.id] })
      expect(answer.endpoints).toEqual([
        { ...one, position: expect.any(Number) },
        { ...two, position: expect.any(Number) },
      ])
      expect(answer.configVersion).toBe(await suite.configVersion())
    })
  })
}

function versions(suite: StoreSuite): void {
  describe('endpoints: the config version', () => {
    it('changes with every change of an endpoint, and is the one answered', async () => {
      const seen = [await suite.configVersion()]
      const created = endpointRow()
      const answer = await suite.store.createEndpoint({ endpoint: created, maxPerTenant: 9 })
      seen.push(answer?.configVersion as number)
      const changes: EndpointChange[] = [
        { kind: 'patch', patch: { description: 'new' } },
        { kind: 'status', status: 'paused', reason: null },
        { kind: 'add_secret', secret: secretRow(), retireAt: T0 + 5, max: 5 },
        { kind: 'remove_secret', secretId: created.secrets[0]?.id as string },
        { kind: 'delete' },
      ]
      for (const change of changes) {
        const made = await suite.store.changeEndpoint({ scope: LIVE, endpointId: created.id, change, now: T0 })
        expect(made?.configVersion).toBe(await suite.configVersion())
        seen.push(made?.configVersion as number)
      }
      expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b))
    })

    it('stays when a change did not fit', async () => {
      const made = await suite.endpoint()
      const before = await suite.configVersion()
      const change = { kind: 'remove_secret', secretId: made.secrets[0]?.id as string } as const
      expect(await suite.store.changeEndpoint({ scope: LIVE, endpointId: made.id, change, now: T0 })).toBeNull()
      expect(await suite.store.createEndpoint({ endpoint: endpointRow(), maxPerTenant: 1 })).toBeNull()
      expect(await suite.configVersion()).toBe(before)
    })
  })
}
