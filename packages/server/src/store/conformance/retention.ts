import { describe, expect, it } from 'vitest'
import type { Mode } from '@runbell/sdk/contract'
import type { Prunable } from '../retention.ts'
import { ALL_EVENTS, acceptItem, attemptRecord, bytes, failedRecord, LIVE, MINUTE, T0 } from './builders.ts'
import { FIRST_NODE, type StoreSuite } from './suite.ts'

const OLD = T0 - 100 * MINUTE
const NOW = T0 + MINUTE

export function retentionTests(suite: StoreSuite): void {
  const prune = (
    what: Prunable,
    input: { mode?: Mode; before?: number; now?: number; limit?: number; again?: number } = {},
  ) => suite.store.prune({ what, mode: 'live', before: T0 - MINUTE, now: NOW, limit: 1000, again: null, ...input })
  const find = async (eventId: string) => (await suite.store.findEvents({ scope: LIVE, eventId }))[0]
  const listed = async () => (await suite.store.listEvents(ALL_EVENTS)).rows.map(({ eventId }) => eventId)
  const pause = (endpointId: string) =>
    suite.store.changeEndpoint({
      scope: LIVE,
      endpointId,
      change: { kind: 'status', status: 'paused', reason: null },
      now: T0,
    })

  async function delivered(input: Parameters<StoreSuite['delivery']>[0] = {}) {
    const one = await suite.delivery({ at: OLD, ...input })
    const claim = await suite.claimOne(FIRST_NODE, one.endpointId)
    const record = attemptRecord(claim, { startedAt: OLD, excerpt: bytes('echo') })
    expect(await suite.record(FIRST_NODE, record, OLD + 50)).toBe('recorded')
    return one
  }

  describe('retention of events', () => {
    it('removes what is old with everything about it, and nothing that is not', async () => {
      const old = await delivered({ item: { idempotencyKey: 'key-1' } })
      const young = await suite.delivery({ endpointId: old.endpointId })
      expect(await prune('events')).toEqual({ removed: 1, next: null })
      expect(await listed()).toEqual([young.item.eventId])
      expect(await suite.store.findDelivery({ scope: LIVE, deliveryId: old.deliveryId })).toBeNull()
      expect(await suite.store.listAttempts({ scope: LIVE, deliveryId: old.deliveryId })).toBeNull()
      expect(await suite.store.readBody({ eventPosition: old.event.position, endpointId: null })).toBeNull()
      expect(await suite.accept([old.item])).toMatchObject([{ kind: 'accepted' }])
      expect(await prune('events')).toEqual({ removed: 0, next: null })
    })

    it('leaves what is pending, in flight, or old in another mode, and comes back for it once it has ended', async () => {
      const waits = await suite.delivery({ at: OLD })
      const flies = await suite.delivery({ at: OLD })
      const claim = await suite.claimOne(FIRST_NODE, flies.endpointId)
      const test = acceptItem({ mode: 'test' })
      await suite.acceptOne(test, { at: OLD })
      const before = await listed()
      expect(await prune('events')).toEqual({ removed: 0, next: null })
      expect(await prune('events', { again: 0 })).toEqual({ removed: 0, next: null })
      expect(await listed()).toEqual(before)
      expect(await suite.row(waits.deliveryId)).toMatchObject({ status: 'pending' })
      expect(await suite.record(FIRST_NODE, attemptRecord(claim))).toBe('recorded')
      expect(await prune('events')).toEqual({ removed: 0, next: null })
      expect(await prune('events', { again: 0 })).toEqual({ removed: 1, next: null })
      expect(await listed()).toEqual([waits.item.eventId])
      expect(await prune('events', { mode: 'test' })).toEqual({ removed: 1, next: null })
      expect(await suite.store.findEvents({ scope: { mode: 'test', tenantId: null }, eventId: test.eventId })).toEqual(
        [],
      )
    })

    it('waits for an attempt that outlives the end of its delivery', async () => {
      const one = await suite.delivery({ at: OLD })
      const claim = await suite.claimOne(FIRST_NODE, one.endpointId)
      await suite.store.cancelDelivery({ scope: LIVE, deliveryId: one.deliveryId, now: T0 })
      expect(await prune('events')).toMatchObject({ removed: 0 })
      expect(await suite.record(FIRST_NODE, attemptRecord(claim))).toBe('recorded')
      expect(await prune('events', { again: 0 })).toMatchObject({ removed: 1 })
    })

    it('ends what a paused endpoint holds', async () => {
      const held = await suite.delivery({ at: OLD })
      const young = await suite.delivery({ endpointId: held.endpointId })
      await pause(held.endpointId)
      expect(await prune('payloads')).toMatchObject({ removed: 1 })
      const ended = { status: 'expired', reason: 'held_past_retention', nextAttemptAt: null, updatedAt: NOW }
      expect(await suite.row(held.deliveryId)).toMatchObject(ended)
      expect(await suite.row(young.deliveryId)).toMatchObject({ status: 'pending' })
      // How it ended can be seen for as long as events are kept, or a day.
      expect(await prune('events')).toMatchObject({ removed: 0 })
      expect(await prune('events', { again: 0 })).toMatchObject({ removed: 0 })
      expect(await prune('events', { again: 0, before: NOW, now: NOW + MINUTE })).toMatchObject({ removed: 1 })
    })

    it('keeps a request for approval until somebody has been told that it reached nobody', async () => {
      const item = { type: 'agent.approval.requested' }
      const asked = await suite.delivery({ at: OLD, item })
      await pause(asked.endpointId)
      expect(await prune('events')).toMatchObject({ removed: 0 })
      const [unannounced] = await suite.store.findUnannounced({ limit: 10 })
      expect(unannounced).toMatchObject({ status: 'expired', reason: 'held_past_retention' })
      expect(unannounced?.body).toEqual((await find(asked.item.eventId))?.body)
      const announces = { position: asked.position, replays: 0 }
      const later = { again: 0, before: NOW, now: NOW + MINUTE }
      expect(await prune('events', later)).toMatchObject({ removed: 0 })
      await suite.acceptOne(acceptItem({ type: 'runbell.approval.undelivered', announces }))
      expect(await prune('events', later)).toMatchObject({ removed: 1 })
    })

    it('goes on where it was, a bounded piece at a time', async () => {
      const endpointId = (await suite.endpoint()).id
      for (let count = 0; count < 5; count++) await delivered({ endpointId })
      const rounds = []
      for (let next: number | null = 0; next !== null;) {
        const round = await prune('events', { limit: 4 })
        rounds.push(round.removed)
        next = round.next
      }
      expect(rounds).toEqual([2, 2, 1])
      expect(await listed()).toEqual([])
    })

    it('looks again at what was left a bounded piece at a time', async () => {
      const endpointId = (await suite.endpoint()).id
      const left = []
      for (let count = 0; count < 5; count++) left.push(await suite.delivery({ endpointId, at: OLD }))
      await prune('events')
      const looked = []
      for (let again: number | null = 0; again !== null;) {
        const round = await prune('events', { limit: 4, again })
        looked.push(round.next)
        again = round.next
      }
      expect(looked).toEqual([left[1]?.event.position, left[3]?.event.position, null])
      const claims = await suite.claim(FIRST_NODE, endpointId)
      for (const claim of claims) await suite.record(FIRST_NODE, attemptRecord(claim))
      expect(await prune('events', { again: 0 })).toEqual({ removed: 5, next: null })
      expect(await prune('events', { again: 0 })).toEqual({ removed: 0, next: null })
    })

    it('forgets a run with its last event: the next one begins it anew', async () => {
      const [first, second] = [acceptItem({ runId: 'run-old' }), acceptItem({ runId: 'run-old' })]
      await suite.acceptOne(first, { at: OLD })
      await suite.acceptOne(second)
      await prune('events')
      expect(await suite.acceptOne(acceptItem({ runId: 'run-old' }))).toMatchObject({ sequence: 3 })
      await prune('events', { before: NOW })
      expect(await listed()).toEqual([])
      expect(await suite.acceptOne(acceptItem({ runId: 'run-old' }))).toMatchObject({ sequence: 1 })
    })
  })

  describe('retention of parts of events', () => {
    it('takes payloads away and leaves what says that there were any', async () => {
      const { item, event, endpointId, deliveryId } = await delivered()
      const [before, delivery] = [await find(item.eventId), await suite.row(deliveryId)]
      expect(await prune('payloads')).toEqual({ removed: 1, next: null })
      const payloadGone = { at: NOW, by: 'retention' }
      expect(await find(item.eventId)).toEqual({ ...before, body: new Uint8Array(), payloadGone })
      expect(await suite.row(deliveryId)).toEqual(delivery)
      expect(await suite.attempts(deliveryId)).toMatchObject([{ excerpt: null, responseHeaders: {}, statusCode: 200 }])
      expect(await suite.store.readBody({ eventPosition: event.position, endpointId })).toBeNull()
      const ask = {
        eventPosition: event.position,
        newDeliveryId: 'dlv_new',
        now: NOW,
        target: { kind: 'all' },
      } as const
      expect(await suite.store.replayDeliveries(ask)).toBe('payload_gone')
      expect(await suite.accept([item])).toMatchObject([{ kind: 'duplicate', deliveries: 1 }])
    })

    it('sends what is pending whole, however old it is', async () => {
      const { item, endpointId } = await suite.delivery({ at: OLD })
      const body = (await find(item.eventId))?.body
      expect(await prune('payloads')).toMatchObject({ removed: 0 })
      const claim = await suite.claimOne(FIRST_NODE, endpointId)
      expect(claim.body).toEqual(body)
      await suite.record(FIRST_NODE, failedRecord(claim, T0 + 99))
      expect(await prune('payloads', { again: 0 })).toMatchObject({ removed: 0 })
      expect((await suite.claimOne(FIRST_NODE, endpointId, T0 + 99)).body).toEqual(body)
    })

    it('leaves an erased event as it was erased', async () => {
      const { item, event } = await delivered()
      await suite.store.eraseEvent({ eventPosition: event.position, now: T0 })
      const before = await find(item.eventId)
      await prune('payloads')
      expect(await find(item.eventId)).toEqual(before)
    })

    it('removes attempts, and leaves what their delivery came to; those of a replay stay', async () => {
      const { event, endpointId, deliveryId } = await delivered()
      await suite.store.replayDeliveries({
        ...{ eventPosition: event.position, newDeliveryId: 'dlv_new', now: T0, target: { kind: 'all' } },
      })
      expect(await prune('attempts')).toMatchObject({ removed: 0 })
      const claim = await suite.claimOne(FIRST_NODE, endpointId, T0)
      await suite.record(FIRST_NODE, attemptRecord(claim, { startedAt: T0 }))
      const before = await suite.row(deliveryId)
      expect(await prune('attempts', { again: 0 })).toMatchObject({ removed: 0 })
      expect((await suite.attempts(deliveryId)).map(({ number }) => number)).toEqual([2])
      expect(await prune('attempts', { again: 0, before: NOW })).toMatchObject({ removed: 1 })
      expect(await suite.attempts(deliveryId)).toEqual([])
      expect(await suite.row(deliveryId)).toEqual(before)
    })

    it('forgets idempotency keys, and not the ids of events', async () => {
      const item = acceptItem({ idempotencyKey: 'key-1' })
      await suite.acceptOne(item, { at: OLD })
      const other = { ...acceptItem({ idempotencyKey: 'key-1' }), fingerprint: new Uint8Array(32).fill(7) }
      expect(await suite.accept([other])).toMatchObject([{ kind: 'conflict' }])
      expect(await prune('idempotency')).toEqual({ removed: 1, next: null })
      expect(await suite.accept([{ ...item, idempotencyKey: null }])).toMatchObject([{ kind: 'duplicate' }])
      expect(await suite.accept([other])).toMatchObject([{ kind: 'accepted' }])
      expect(await prune('idempotency')).toEqual({ removed: 0, next: null })
    })
  })

  describe('retention of endpoints', () => {
    it('removes one that was deleted once none of its deliveries is left', async () => {
      const { endpointId } = await delivered()
      await suite.store.changeEndpoint({ scope: LIVE, endpointId, change: { kind: 'delete' }, now: OLD })
      await suite.store.cancelHeld({ now: T0, disabledBefore: 0, limit: 100 })
      const ask = { deletedBefore: T0, limit: 10 }
      expect(await suite.store.pruneEndpoints(ask)).toBe(0)
      await prune('events')
      expect(await suite.store.pruneEndpoints({ ...ask, deletedBefore: OLD })).toBe(0)
      expect(await suite.store.pruneEndpoints(ask)).toBe(1)
      expect(await suite.store.pruneEndpoints(ask)).toBe(0)
      expect(await suite.delivery()).toBeDefined()
    })
  })
}
