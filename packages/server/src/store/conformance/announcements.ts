import { describe, expect, it } from 'vitest'
import type { Unannounced } from '../rows.ts'
import {
  acceptItem,
  attemptRecord,
  expectedBody,
  failedRecord,
  LIVE,
  MINUTE,
  newId,
  T0,
  target,
  text,
  type ItemInput,
} from './builders.ts'
import { FIRST_NODE, type OneDelivery, type StoreSuite } from './suite.ts'

export function announcementTests(suite: StoreSuite): void {
  finding(suite)
  announcing(suite)
  again(suite)
}

const TYPE = 'agent.approval.requested'

function request(suite: StoreSuite, input: ItemInput = {}, endpointId?: string): Promise<OneDelivery> {
  const item = { type: TYPE, ...input }
  return suite.delivery(endpointId === undefined ? { item } : { item, endpointId })
}

const found = (suite: StoreSuite): Promise<Unannounced[]> => suite.store.findUnannounced({ limit: 100 })
const idsOf = (rows: Unannounced[]): string[] => rows.map(({ deliveryId }) => deliveryId)

function cancel(suite: StoreSuite, deliveryId: string) {
  return suite.store.cancelDelivery({ scope: LIVE, deliveryId, now: T0 })
}

/** The service event that tells of a delivery's end. */
const telling = (position: number, replays = 0) =>
  acceptItem({ type: 'runbell.approval.undelivered', runId: null, announces: { position, replays } })

function finding(suite: StoreSuite): void {
  describe('unannounced: requests for approval that ended without reaching an endpoint', () => {
    it('are found however they ended, oldest first, with what there is to tell', async () => {
      const dead = await request(suite, { runId: 'run-9', tenantId: 'default' })
      await suite.record(FIRST_NODE, failedRecord(await suite.claimOne(FIRST_NODE, dead.endpointId), T0 + 10))
      await suite.deadLetter(FIRST_NODE, dead.endpointId, T0 + 10)
      const late = await request(suite, { deadline: T0 + 5, runId: null })
      const cancelled = await request(suite)
      await cancel(suite, cancelled.deliveryId)
      expect(await suite.store.expireDeliveries({ now: T0 + 6, limit: 10 })).toBe(1)
      const rows = await found(suite)
      expect(idsOf(rows)).toEqual([dead, late, cancelled].map(({ deliveryId }) => deliveryId))
      expect({ ...rows[0], body: text(rows[0]?.body as Uint8Array) }).toEqual({
        position: dead.position,
        deliveryId: dead.deliveryId,
        endpointId: dead.endpointId,
        tenantId: 'default',
        mode: 'live',
        eventId: dead.item.eventId,
        runId: 'run-9',
        status: 'dead_lettered',
        reason: 'attempts_exhausted',
        attemptCount: 2,
        replays: 0,
        lastOutcome: 'timeout',
        body: text(expectedBody(dead.item, T0, 1)),
      })
      expect(rows.slice(1)).toMatchObject([
        { status: 'expired', reason: 'deadline_passed', runId: null, attemptCount: 0, lastOutcome: null },
        { status: 'cancelled', reason: 'requested' },
      ])
    })

    it('are found where grants, the endpoint, or an expired claim ended them', async () => {
      const { id: narrowed } = await suite.endpoint({ dataClasses: ['personal'] })
      const policy = await request(suite, { classes: 8 }, narrowed)
      await suite.grant(narrowed, [])
      const deleted = await request(suite)
      const change = { kind: 'delete' } as const
      await suite.store.changeEndpoint({ scope: LIVE, endpointId: deleted.endpointId, change, now: T0 })
      await suite.store.cancelHeld({ now: T0, disabledBefore: 0, limit: 10 })
      const late = await request(suite, { deadline: T0 + 5 })
      expect(await suite.claim(FIRST_NODE, late.endpointId, { now: T0 + 9 })).toEqual([])
      const ended = [policy, deleted, late].map(({ deliveryId }) => deliveryId)
      expect(idsOf(await found(suite))).toEqual(ended)
      expect((await found(suite)).map(({ reason }) => reason)).toEqual([
        'policy_changed',
        'endpoint_deleted',
        'deadline_passed',
      ])
    })

    it('are not found while they are pending or when they were delivered, nor is any other event', async () => {
      await request(suite)
      const delivered = await request(suite)
      await suite.record(FIRST_NODE, attemptRecord(await suite.claimOne(FIRST_NODE, delivered.endpointId)))
      for (const type of ['runbell.approval.undelivered', 'agent.approval.denied', 'acme.approval.requested']) {
        await cancel(suite, (await request(suite, { type })).deliveryId)
      }
      expect(await found(suite)).toEqual([])
    })

    it('come from every tenant and mode, at most the limit', async () => {
      const endpoint = await suite.endpoint({ mode: 'test', tenantId: 'other' })
      const input = { mode: 'test', tenantId: 'other' } as const
      const test = await request(suite, input, endpoint.id)
      await suite.store.cancelDelivery({
        scope: { mode: 'test', tenantId: null },
        deliveryId: test.deliveryId,
        now: T0,
      })
      const live = await request(suite)
      await cancel(suite, live.deliveryId)
      expect(await found(suite)).toMatchObject([input, { mode: 'live', tenantId: 'default' }])
      expect(idsOf(await suite.store.findUnannounced({ limit: 1 }))).toEqual([test.deliveryId])
    })

    it('are found for each endpoint apart, and for one that got it later', async () => {
      const { event, deliveryId } = await request(suite)
      const { id: endpointId } = await suite.endpoint()
      const newDeliveryId = newId('delivery')
      const what = { kind: 'endpoint', endpointId } as const
      await suite.store.replayDeliveries({ eventPosition: event.position, target: what, newDeliveryId, now: T0 })
      await cancel(suite, deliveryId)
      expect(idsOf(await found(suite))).toEqual([deliveryId])
      await cancel(suite, newDeliveryId)
      expect(idsOf(await found(suite))).toEqual([deliveryId, newDeliveryId])
    })
  })
}

function announcing(suite: StoreSuite): void {
  async function ended(): Promise<OneDelivery> {
    const one = await request(suite)
    await cancel(suite, one.deliveryId)
    return one
  }

  describe('unannounced: until somebody is told', () => {
    it('in the transaction that accepts the telling, each for itself', async () => {
      const [one, other] = [await ended(), await ended()]
      expect(await suite.accept([telling(one.position)])).toMatchObject([{ kind: 'accepted' }])
      expect(idsOf(await found(suite))).toEqual([other.deliveryId])
      expect(await suite.accept([acceptItem(), telling(other.position)])).toHaveLength(2)
      expect(await found(suite)).toEqual([])
    })

    it('also where the telling turns out to be known already', async () => {
      const one = await ended()
      const event = telling(one.position)
      await suite.accept([{ ...event, announces: null }])
      expect(idsOf(await found(suite))).toEqual([one.deliveryId])
      expect(await suite.accept([event])).toMatchObject([{ kind: 'duplicate' }])
      expect(await found(suite)).toEqual([])
    })

    it('but not by one that is stale, in conflict or refused', async () => {
      const one = await ended()
      const event = telling(one.position)
      const configVersion = (await suite.configVersion()) - 1
      const batch = { nodeId: FIRST_NODE, recordedAt: T0, runEventBudget: 1000, items: [{ ...event, configVersion }] }
      expect(await suite.store.acceptEvents(batch)).toMatchObject([{ kind: 'stale' }])
      expect(await suite.accept([{ ...event, runId: 'run-1' }], { budget: 0 })).toMatchObject([{ kind: 'refused' }])
      await suite.accept([{ ...event, announces: null }])
      expect(await suite.accept([{ ...event, fingerprint: new Uint8Array(32) }])).toMatchObject([{ kind: 'conflict' }])
      expect(idsOf(await found(suite))).toEqual([one.deliveryId])
    })

    it('stays announced when the store is opened again, and unannounced what was not', async (context) => {
      if (suite.harness?.reopen === undefined) return context.skip('this store keeps nothing after it is closed')
      const [one, other] = [await ended(), await ended()]
      await suite.accept([telling(one.position)])
      await suite.reopen()
      expect(idsOf(await found(suite))).toEqual([other.deliveryId])
    })
  })
}

function again(suite: StoreSuite): void {
  const replay = (eventPosition: number) =>
    suite.store.replayDeliveries({ eventPosition, target: { kind: 'all' }, newDeliveryId: newId('delivery'), now: T0 })

  describe('unannounced: after a replay', () => {
    it('is told again when it ends again, and not while it goes on', async () => {
      const { event, deliveryId, position, endpointId } = await request(suite)
      await cancel(suite, deliveryId)
      await suite.accept([telling(position)])
      await replay(event.position)
      expect(await found(suite)).toEqual([])
      await suite.deadLetter(FIRST_NODE, endpointId)
      expect(await found(suite)).toMatchObject([{ deliveryId, status: 'dead_lettered', replays: 1 }])
      await suite.accept([telling(position, 1)])
      await replay(event.position)
      await suite.record(FIRST_NODE, attemptRecord(await suite.claimOne(FIRST_NODE, endpointId, T0 + MINUTE)))
      expect(await found(suite)).toEqual([])
    })

    it('differs from the time before even where no attempt was made in between', async () => {
      const { event, deliveryId } = await request(suite)
      const seen: (number | undefined)[] = []
      for (let time = 0; time < 3; time++) {
        await cancel(suite, deliveryId)
        const [row] = await found(suite)
        seen.push(row?.replays)
        await suite.accept([telling(row?.position ?? 0, row?.replays)])
        await replay(event.position)
        // What is pending already is not replayed.
        await replay(event.position)
      }
      expect(seen).toEqual([0, 1, 2])
    })

    it('is still told of its next end where the telling of the one before came late', async () => {
      const { event, deliveryId, position } = await request(suite)
      await cancel(suite, deliveryId)
      const late = telling(position)
      await replay(event.position)
      await suite.accept([late])
      expect(await found(suite)).toEqual([])
      await cancel(suite, deliveryId)
      expect(idsOf(await found(suite))).toEqual([deliveryId])
    })

    it('is still told of its next end where it had ended again before the first was told', async () => {
      const { event, deliveryId, position } = await request(suite)
      await cancel(suite, deliveryId)
      const late = telling(position)
      await replay(event.position)
      await cancel(suite, deliveryId)
      await suite.accept([late])
      expect(await found(suite)).toMatchObject([{ deliveryId, replays: 1 }])
    })

    it('goes on being watched where the delivery had reached its endpoint before', async () => {
      const { id: endpointId } = await suite.endpoint()
      const one = target(endpointId)
      const event = await suite.acceptOne(acceptItem({ type: TYPE, targets: [one] }))
      await suite.record(FIRST_NODE, attemptRecord(await suite.claimOne(FIRST_NODE, endpointId)))
      await replay(event.position)
      await cancel(suite, one.deliveryId)
      expect(idsOf(await found(suite))).toEqual([one.deliveryId])
    })
  })
}
