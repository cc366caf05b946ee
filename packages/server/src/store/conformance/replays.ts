import { describe, expect, it } from 'vitest'
import type { ReplayedDelivery } from '../rows.ts'
import type { Store } from '../store.ts'
import {
  acceptItem,
  ALL_DELIVERIES,
  attemptRecord,
  failedRecord,
  hex,
  LIVE,
  MINUTE,
  newId,
  T0,
  target,
  text,
} from './builders.ts'
import { FIRST_NODE, type StoreSuite } from './suite.ts'

type Target = Parameters<Store['replayDeliveries']>[0]['target']

export function replayTests(suite: StoreSuite): void {
  const replay = (eventPosition: number, what: Target, now = T0 + MINUTE) =>
    suite.store.replayDeliveries({ eventPosition, target: what, newDeliveryId: newId('delivery'), now })
  reopening(suite, replay)
  choosing(suite, replay)
  corners(suite, replay)
}

type Replay = (eventPosition: number, what: Target, now?: number) => ReturnType<Store['replayDeliveries']>

function reopening(suite: StoreSuite, replay: Replay): void {
  describe('replays: the same delivery again', () => {
    it('reopens a dead letter: numbers go on, a new cycle, first attempt by hand', async () => {
      const { event, endpointId, deliveryId } = await suite.delivery()
      await suite.record(FIRST_NODE, failedRecord(await suite.claimOne(FIRST_NODE, endpointId), T0 + 10))
      await suite.deadLetter(FIRST_NODE, endpointId, T0 + 10)
      await suite.store.discardDeadLetter({ scope: LIVE, deliveryId, note: 'gone wrong', now: T0 + 20 })
      const answer = [{ id: deliveryId, endpointId, status: 'pending' }]
      expect(await replay(event.position, { kind: 'delivery', deliveryId })).toEqual(answer)
      expect(await suite.row(deliveryId)).toMatchObject({
        status: 'pending',
        reason: null,
        attemptCount: 2,
        nextAttemptAt: T0 + MINUTE,
        discardedAt: null,
        note: null,
        updatedAt: T0 + MINUTE,
      })
      const first = await suite.claimOne(FIRST_NODE, endpointId, T0 + MINUTE)
      expect(first).toMatchObject({ number: 3, cycleStart: 3, trigger: 'manual' })
      await suite.record(FIRST_NODE, failedRecord(first, T0 + 2 * MINUTE), T0 + MINUTE)
      const second = await suite.claimOne(FIRST_NODE, endpointId, T0 + 2 * MINUTE)
      expect(second).toMatchObject({ number: 4, cycleStart: 3, trigger: 'scheduled' })
      const triggers = (await suite.attempts(deliveryId)).map((attempt) => attempt.trigger)
      expect(triggers).toEqual(['scheduled', 'scheduled', 'manual', 'scheduled'])
    })

    it('reopens what was delivered, cancelled or expired, with the same bytes', async () => {
      const delivered = await suite.delivery()
      const before = await suite.claimOne(FIRST_NODE, delivered.endpointId)
      await suite.record(FIRST_NODE, attemptRecord(before))
      await replay(delivered.event.position, { kind: 'all' })
      const after = await suite.claimOne(FIRST_NODE, delivered.endpointId, T0 + MINUTE)
      expect(after).toMatchObject({ number: 2, cycleStart: 2, trigger: 'manual' })
      expect(hex(after.body)).toBe(hex(before.body))

      const cancelled = await suite.delivery()
      await suite.store.cancelDelivery({ scope: LIVE, deliveryId: cancelled.deliveryId, now: T0 })
      expect(await replay(cancelled.event.position, { kind: 'all' })).toMatchObject([{ status: 'pending' }])
      const claim = await suite.claimOne(FIRST_NODE, cancelled.endpointId, T0 + MINUTE)
      expect(claim).toMatchObject({ number: 1, cycleStart: 1, trigger: 'manual' })
    })

    it('changes nothing about what is pending already, waiting or in flight', async () => {
      const { event, endpointId, deliveryId } = await suite.delivery()
      const waiting = await suite.row(deliveryId)
      expect(await replay(event.position, { kind: 'all' })).toEqual([{ id: deliveryId, endpointId, status: 'pending' }])
      expect(await suite.row(deliveryId)).toEqual(waiting)
      const claim = await suite.claimOne(FIRST_NODE, endpointId)
      expect(claim).toMatchObject({ trigger: 'scheduled', cycleStart: 1 })
      const inFlight = await suite.row(deliveryId)
      expect(await replay(event.position, { kind: 'delivery', deliveryId })).toMatchObject([{ status: 'pending' }])
      expect(await suite.row(deliveryId)).toEqual(inFlight)
      expect(await suite.record(FIRST_NODE, attemptRecord(claim))).toBe('recorded')
    })

    it('stays by hand when the claim is given back, and becomes scheduled after that attempt', async () => {
      const { event, endpointId } = await suite.delivery()
      await suite.deadLetter(FIRST_NODE, endpointId)
      await replay(event.position, { kind: 'all' })
      const claim = await suite.claimOne(FIRST_NODE, endpointId, T0 + MINUTE)
      await suite.store.releaseClaims({ nodeId: FIRST_NODE, now: T0, claims: [{ ...claim, dueAt: T0 }] })
      const again = await suite.claimOne(FIRST_NODE, endpointId)
      expect(again).toMatchObject({ number: 2, cycleStart: 2, trigger: 'manual' })
    })
  })
}

function choosing(suite: StoreSuite, replay: Replay): void {
  describe('replays: which deliveries', () => {
    it('reopens one, those of one endpoint, or all of an event', async () => {
      const endpoints = [await suite.endpoint(), await suite.endpoint(), await suite.endpoint()]
      const targets = endpoints.map(({ id }) => target(id))
      const { position } = await suite.acceptOne(acceptItem({ targets }))
      for (const { id } of endpoints) await suite.deadLetter(FIRST_NODE, id)
      const [one, two, three] = targets.map(({ deliveryId, endpointId }) => ({ id: deliveryId, endpointId }))
      const pending = async () => (await suite.dueEndpoints()).map(({ endpointId }) => endpointId)
      await replay(position, { kind: 'delivery', deliveryId: two?.id as string })
      expect(await pending()).toEqual([two?.endpointId])
      await replay(position, { kind: 'endpoint', endpointId: three?.endpointId as string })
      expect((await pending()).toSorted()).toEqual([two?.endpointId, three?.endpointId])
      const all = await replay(position, { kind: 'all' })
      expect(all).toEqual([one, two, three].map((entry) => ({ ...entry, status: 'pending' })))
      expect(await pending()).toHaveLength(3)
    })

    it('makes a delivery with the same bytes for an endpoint created later, once', async () => {
      const { event, item } = await suite.delivery()
      const later = await suite.endpoint()
      const what = { kind: 'endpoint', endpointId: later.id } as const
      const first = await replay(event.position, what)
      expect(first).toEqual([{ id: expect.any(String), endpointId: later.id, status: 'pending' }])
      expect(await replay(event.position, what)).toEqual(first)
      const { rows } = await suite.store.listDeliveries(ALL_DELIVERIES)
      expect(rows).toHaveLength(2)
      expect(rows[0]).toMatchObject({
        id: (first as ReplayedDelivery[])[0]?.id,
        eventPosition: event.position,
        attemptCount: 0,
        nextAttemptAt: T0 + MINUTE,
        createdAt: T0 + MINUTE,
        runId: item.runId,
      })
      const claim = await suite.claimOne(FIRST_NODE, later.id, T0 + MINUTE)
      expect(claim).toMatchObject({ number: 1, cycleStart: 1, trigger: 'manual', eventId: item.eventId })
      const stored = await suite.store.readBody({ eventPosition: event.position, endpointId: null })
      expect(text(claim.body)).toBe(text(stored))
    })

    it('answers null where there is no such delivery or the endpoint cannot receive it', async () => {
      const { event, endpointId, deliveryId } = await suite.delivery()
      const other = await suite.delivery()
      const refused: Target[] = [
        { kind: 'delivery', deliveryId: other.deliveryId },
        { kind: 'delivery', deliveryId: 'dlv_nobody' },
        { kind: 'endpoint', endpointId: 'ep_nobody' },
        { kind: 'endpoint', endpointId: (await suite.endpoint({ tenantId: 'other' })).id },
        { kind: 'endpoint', endpointId: (await suite.endpoint({ mode: 'test' })).id },
      ]
      for (const what of refused) expect(await replay(event.position, what)).toBeNull()
      const wide = await suite.endpoint({ tenantId: '*' })
      expect(await replay(event.position, { kind: 'endpoint', endpointId: wide.id })).toHaveLength(1)
      const ended = await suite.deadLetter(FIRST_NODE, endpointId)
      await suite.store.changeEndpoint({ scope: LIVE, endpointId, change: { kind: 'delete' }, now: T0 })
      expect(await replay(event.position, { kind: 'delivery', deliveryId })).toBeNull()
      expect(await replay(event.position, { kind: 'endpoint', endpointId })).toBeNull()
      expect(await replay(event.position, { kind: 'all' })).toMatchObject([{ endpointId: wide.id }])
      expect(await suite.row(ended.deliveryId)).toMatchObject({ status: 'dead_lettered' })
    })

    it('answers with nothing for an event that has no deliveries', async () => {
      const { position } = await suite.acceptOne(acceptItem())
      expect(await replay(position, { kind: 'all' })).toEqual([])
    })
  })
}

function corners(suite: StoreSuite, replay: Replay): void {
  describe('replays: corners', () => {
    it('keeps the deadline: a replay after it ends expired at the claim', async () => {
      const { event, endpointId, deliveryId } = await suite.delivery({ item: { deadline: T0 + 10 } })
      await suite.deadLetter(FIRST_NODE, endpointId)
      expect(await replay(event.position, { kind: 'all' })).toMatchObject([{ status: 'pending' }])
      expect(await suite.claim(FIRST_NODE, endpointId, { now: T0 + MINUTE })).toHaveLength(0)
      expect(await suite.row(deliveryId)).toMatchObject({ status: 'expired', reason: 'deadline_passed' })
    })

    it('goes on with the attempt that is in flight when the delivery was cancelled meanwhile', async () => {
      const { event, endpointId, deliveryId } = await suite.delivery()
      const claim = await suite.claimOne(FIRST_NODE, endpointId)
      await suite.store.cancelDelivery({ scope: LIVE, deliveryId, now: T0 })
      expect(await replay(event.position, { kind: 'all' })).toMatchObject([{ status: 'pending' }])
      // Two requests of one delivery at once would be the alternative.
      expect(await suite.claim(FIRST_NODE, endpointId, { now: T0 + MINUTE })).toHaveLength(0)
      expect(await suite.row(deliveryId)).toMatchObject({ attemptCount: 1, nextAttemptAt: null })
      // Nobody started it by hand.
      expect(await suite.attempts(deliveryId)).toMatchObject([{ number: 1, trigger: 'scheduled', outcome: null }])
      expect(await suite.record(FIRST_NODE, failedRecord(claim, T0 + MINUTE))).toBe('recorded')
      expect(await suite.row(deliveryId)).toMatchObject({ status: 'pending', nextAttemptAt: T0 + MINUTE })
    })
  })
}
