import { describe, expect, it } from 'vitest'
import { FAILING_FOR_MS } from '../../core/endpoint-health.ts'
import type { EndpointEffect, EndpointRow } from '../rows.ts'
import { acceptItem, attemptRecord, failedRecord, LIVE, MINUTE, newId, T0 } from './builders.ts'
import { FIRST_NODE, type StoreSuite } from './suite.ts'

export function noticeTests(suite: StoreSuite): void {
  deadLetters(suite)
  endpoints(suite)
  failing(suite)
}

const WATCHES = { eventTypes: ['agent.*', 'runbell.*'] }
const kinds = async (suite: StoreSuite) =>
  (await suite.store.findNotices({ limit: 100 })).map(({ kind, endpointId }) => [kind, endpointId])

function deadLetters(suite: StoreSuite): void {
  describe('notices: dead letters', () => {
    const one = async (input: Parameters<StoreSuite['delivery']>[0] = {}) => {
      const made = await suite.delivery(input)
      await suite.deadLetter(FIRST_NODE, made.endpointId)
      return made
    }

    it('are noted with what became of them, and taken off by the event that tells, once', async () => {
      await suite.endpoint(WATCHES)
      const { deliveryId, endpointId, item } = await one()
      const [notice] = await suite.store.findNotices({ limit: 1 })
      expect(notice).toMatchObject({
        ...{
          kind: 'dead_lettered',
          mode: 'live',
          tenantId: 'default',
          endpointId,
          at: T0,
          reason: 'attempts_exhausted',
        },
        delivery: {
          ...{ deliveryId, eventId: item.eventId, eventType: 'agent.run.completed', runId: 'run-1' },
          ...{ attemptCount: 1, replays: 0, lastOutcome: 'timeout' },
        },
      })
      const tells = notice?.position ?? 0
      const event = { ...acceptItem({ type: 'runbell.delivery.dead_lettered', runId: null }), tells }
      expect(await suite.accept([event])).toMatchObject([{ kind: 'accepted' }])
      expect(await kinds(suite)).toEqual([])
    })

    it.each(['duplicate', 'conflict'])('that were told before are taken off by the %s', async (kind) => {
      await suite.endpoint(WATCHES)
      await one()
      const event = acceptItem({ type: 'runbell.delivery.dead_lettered', runId: null })
      await suite.accept([event])
      const tells = (await suite.store.findNotices({ limit: 1 }))[0]?.position ?? 0
      const again = kind === 'duplicate' ? event : { ...event, fingerprint: new Uint8Array(32) }
      expect(await suite.accept([{ ...again, tells }])).toMatchObject([{ kind }])
      expect(await kinds(suite)).toEqual([])
    })

    it('stay noted while the event that tells is stale', async () => {
      await suite.endpoint(WATCHES)
      await one()
      const tells = (await suite.store.findNotices({ limit: 1 }))[0]?.position ?? 0
      const items = [{ ...acceptItem({ runId: null }), tells, configVersion: 0 }]
      const batch = { nodeId: FIRST_NODE, recordedAt: T0, runEventBudget: 1000, items }
      expect(await suite.store.acceptEvents(batch)).toMatchObject([{ kind: 'stale' }])
      expect(await kinds(suite)).toHaveLength(1)
    })

    it('are noted again after a replay, and one by one oldest first', async () => {
      await suite.endpoint(WATCHES)
      const { deliveryId, endpointId, event } = await one()
      const target = { kind: 'delivery', deliveryId } as const
      const input = { eventPosition: event.position, target, newDeliveryId: newId('delivery'), now: T0 + 5 }
      await suite.store.replayDeliveries(input)
      await suite.deadLetter(FIRST_NODE, endpointId, T0 + 5)
      const notices = await suite.store.findNotices({ limit: 100 })
      expect(notices.map(({ delivery }) => delivery?.replays)).toEqual([0, 1])
      expect(await suite.store.findNotices({ limit: 1 })).toEqual([notices[0]])
    })

    it('are not noted of service events, nor of what ends otherwise or is discarded', async () => {
      await suite.endpoint(WATCHES)
      await one({ item: { type: 'runbell.endpoint.disabled', runId: null } })
      const cancelled = await suite.delivery()
      await suite.store.cancelDelivery({ scope: LIVE, deliveryId: cancelled.deliveryId, now: T0 })
      const delivered = await suite.delivery()
      await suite.record(FIRST_NODE, attemptRecord(await suite.claimOne(FIRST_NODE, delivered.endpointId)))
      expect(await kinds(suite)).toEqual([])
      const { deliveryId } = await one()
      await suite.store.discardDeadLetter({ scope: LIVE, deliveryId, note: null, now: T0 })
      expect(await kinds(suite)).toHaveLength(1)
    })

    it('are noted of what a crash has ended', async () => {
      await suite.endpoint(WATCHES)
      const { endpointId } = await suite.delivery({ grant: true })
      for (const nodeId of ['node-b', 'node-c', 'node-d']) {
        await suite.crashAll(nodeId)
        await suite.store.rescueClaims({ nodeId, now: T0, limit: 10 })
        if (nodeId !== 'node-d') await suite.store.claimSuspect({ nodeId, now: T0 })
      }
      expect(await suite.store.findNotices({ limit: 9 })).toMatchObject([
        { kind: 'dead_lettered', endpointId, reason: 'quarantined', delivery: { lastOutcome: 'unknown' } },
      ])
    })

    it.each([
      ['nobody names service events', { eventTypes: ['*'] }, 0],
      ['somebody of another tenant does', { ...WATCHES, tenantId: 'other' }, 0],
      ['somebody of another mode does', { ...WATCHES, mode: 'test' as const }, 0],
      ['somebody of all tenants does', { ...WATCHES, tenantId: '*' }, 1],
      ['somebody names one type', { eventTypes: ['runbell.delivery.dead_lettered'] }, 1],
      ['whoever does is disabled', { ...WATCHES, status: 'disabled' as const }, 0],
    ])('where %s', async (_name, watcher, count) => {
      await suite.endpoint(watcher)
      await one()
      expect(await kinds(suite)).toHaveLength(count)
    })

    it('of an endpoint of all tenants are those of all tenants alone', async () => {
      await suite.endpoint(WATCHES)
      const { id } = await suite.endpoint({ tenantId: '*' })
      await one({ endpointId: id })
      expect(await kinds(suite)).toEqual([])
      await suite.endpoint({ ...WATCHES, tenantId: '*' })
      await one({ endpointId: id })
      expect(await suite.store.findNotices({ limit: 9 })).toMatchObject([{ tenantId: '*', endpointId: id }])
    })
  })
}

function endpoints(suite: StoreSuite): void {
  describe('notices: endpoints', () => {
    async function effect(endpointId: string, endpointEffect: EndpointEffect, now = T0): Promise<void> {
      await suite.delivery({ endpointId, at: now })
      const claim = await suite.claimOne(FIRST_NODE, endpointId, now)
      const record =
        endpointEffect.kind === 'recovered'
          ? attemptRecord(claim, { endpointEffect })
          : failedRecord(claim, now + MINUTE * 60 * 24 * 365, { endpointEffect })
      expect(await suite.record(FIRST_NODE, record, now)).toBe('recorded')
    }

    it.each(['gone', 'failing'] as const)(
      'are noted when the service disables one that is %s, once',
      async (reason) => {
        await suite.endpoint(WATCHES)
        const { id } = await suite.endpoint({ failingSince: T0 - 5 })
        await suite.delivery({ endpointId: id })
        await suite.delivery({ endpointId: id })
        const claims = await suite.claim(FIRST_NODE, id)
        for (const claim of claims) {
          await suite.record(
            FIRST_NODE,
            failedRecord(claim, T0 + 9, { endpointEffect: { kind: 'disable', reason } }),
            T0,
          )
        }
        const told = { kind: 'disabled', endpointId: id, reason, failingSince: T0 - 5, at: T0, delivery: null }
        expect(await suite.store.findNotices({ limit: 9 })).toMatchObject([told])
      },
    )

    it('are noted when somebody disables one, and not when its status becomes another', async () => {
      await suite.endpoint(WATCHES)
      const { id } = await suite.endpoint()
      const change = (status: 'enabled' | 'paused' | 'disabled', reason: string | null = null) =>
        suite.store.changeEndpoint({ scope: LIVE, endpointId: id, change: { kind: 'status', status, reason }, now: T0 })
      await change('paused')
      await change('disabled', 'requested')
      await change('enabled')
      expect(await suite.store.findNotices({ limit: 9 })).toMatchObject([{ kind: 'disabled', reason: 'requested' }])
    })

    it('are noted when one recovers that was warned of, and not after a short failure', async () => {
      await suite.endpoint(WATCHES)
      const { id } = await suite.endpoint()
      await effect(id, { kind: 'failing_since', at: T0 })
      await effect(id, { kind: 'recovered' }, T0 + MINUTE)
      expect(await kinds(suite)).toEqual([])
      await effect(id, { kind: 'failing_since', at: T0 + MINUTE }, T0 + MINUTE)
      const half = T0 + MINUTE + FAILING_FOR_MS / 2
      await effect(id, { kind: 'recovered' }, half)
      await effect(id, { kind: 'recovered' }, half + 1)
      expect(await suite.store.findNotices({ limit: 9 })).toMatchObject([
        { kind: 'recovered', endpointId: id, failingSince: T0 + MINUTE, at: half },
      ])
    })

    it('are kept when the store is opened again', async () => {
      await suite.endpoint(WATCHES)
      const { id } = await suite.endpoint()
      await effect(id, { kind: 'disable', reason: 'gone' })
      const before = await suite.store.findNotices({ limit: 9 })
      if (await suite.reopen()) expect(await suite.store.findNotices({ limit: 9 })).toEqual(before)
    })
  })
}

function failing(suite: StoreSuite): void {
  describe('notices: endpoints that fail', () => {
    it('are found from a time on, enabled ones that somebody watches, in pages', async () => {
      await suite.endpoint(WATCHES)
      const add = async (input: Partial<EndpointRow>) => (await suite.endpoint(input)).id
      const [a, b] = [await add({ failingSince: T0 }), await add({ failingSince: T0 - 5 })]
      await add({ failingSince: T0 + 1 })
      await add({ failingSince: T0 - 5, status: 'disabled' })
      await add({ failingSince: T0 - 5, status: 'paused' })
      await add({ failingSince: T0 - 5, tenantId: 'other' })
      await add({})
      const found = await suite.store.findFailingEndpoints({ since: T0, after: 0, limit: 9 })
      expect(found.map(({ endpointId }) => endpointId)).toEqual([a, b])
      expect(found[1]).toMatchObject({ mode: 'live', tenantId: 'default', failingSince: T0 - 5 })
      const rest = await suite.store.findFailingEndpoints({ since: T0, after: found[0]?.position ?? 0, limit: 1 })
      expect(rest).toEqual([found[1]])
    })
  })
}
