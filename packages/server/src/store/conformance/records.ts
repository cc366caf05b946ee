import { describe, expect, it } from 'vitest'
import type { AttemptRecord, EndpointEffect } from '../rows.ts'
import { attemptRecord, bytes, failedRecord, LIVE, MINUTE, T0 } from './builders.ts'
import { FIRST_NODE, type StoreSuite } from './suite.ts'

export function recordTests(suite: StoreSuite): void {
  verdicts(suite)
  fences(suite)
  endedMeanwhile(suite)
  endpointEffects(suite)
}

function verdicts(suite: StoreSuite): void {
  describe('records: verdicts', () => {
    it('ends a delivery as delivered and keeps what the attempt saw', async () => {
      const { endpointId, deliveryId } = await suite.delivery()
      const record = attemptRecord(await suite.claimOne(FIRST_NODE, endpointId), { excerpt: bytes('thanks') })
      expect(await suite.record(FIRST_NODE, record, T0 + 60)).toBe('recorded')
      expect(await suite.row(deliveryId)).toMatchObject({
        status: 'delivered',
        reason: null,
        attemptCount: 1,
        nextAttemptAt: null,
        lastOutcome: 'delivered',
        updatedAt: T0 + 60,
      })
      const { position, verdict, endpointEffect, ...attempt } = record
      expect(await suite.attempts(deliveryId)).toEqual([{ ...attempt, excerpt: expect.any(Uint8Array) }])
      expect(await suite.dueEndpoints()).toEqual([])
    })

    it('makes a delivery pending again, due at the time given', async () => {
      const { endpointId, deliveryId } = await suite.delivery()
      const record = failedRecord(await suite.claimOne(FIRST_NODE, endpointId), T0 + 5000)
      expect(await suite.record(FIRST_NODE, record)).toBe('recorded')
      expect(await suite.row(deliveryId)).toMatchObject({
        status: 'pending',
        attemptCount: 1,
        nextAttemptAt: T0 + 5000,
        lastOutcome: 'http_error',
      })
      expect(await suite.dueEndpoints()).toEqual([{ endpointId, nextDue: T0 + 5000 }])
      expect(await suite.claim(FIRST_NODE, endpointId, { now: T0 + 4999 })).toHaveLength(0)
      expect(await suite.claimOne(FIRST_NODE, endpointId, T0 + 5000)).toMatchObject({ number: 2, cycleStart: 1 })
    })

    it('dead-letters with the reason given', async () => {
      const { endpointId, deliveryId } = await suite.delivery()
      const claim = await suite.claimOne(FIRST_NODE, endpointId)
      const verdict = { kind: 'dead_letter', reason: 'gone' } as const
      const record = attemptRecord(claim, { outcome: 'http_error', statusCode: 410, verdict })
      expect(await suite.record(FIRST_NODE, record)).toBe('recorded')
      const ended = { status: 'dead_lettered', reason: 'gone', nextAttemptAt: null, discardedAt: null }
      expect(await suite.row(deliveryId)).toMatchObject(ended)
      expect(await suite.dueEndpoints()).toEqual([])
    })

    it('records a granted attempt like a claimed one', async () => {
      const { deliveryId, endpointId } = await suite.delivery({ grant: true })
      const [held] = await suite.store.findClaims({ nodeId: FIRST_NODE, limit: 1 })
      const other = await suite.delivery()
      const like = await suite.claimOne(FIRST_NODE, other.endpointId)
      const record = failedRecord({ ...like, ...held }, T0 + MINUTE)
      expect(await suite.record(FIRST_NODE, record)).toBe('recorded')
      expect(await suite.row(deliveryId)).toMatchObject({ attemptCount: 1, nextAttemptAt: T0 + MINUTE })
      expect(await suite.claimOne(FIRST_NODE, endpointId, T0 + MINUTE)).toMatchObject({ number: 2 })
    })

    it('records several at once and answers in their order', async () => {
      const [first, second] = [await suite.delivery(), await suite.delivery()]
      const one = attemptRecord(await suite.claimOne(FIRST_NODE, first.endpointId))
      const two = failedRecord(await suite.claimOne(FIRST_NODE, second.endpointId), T0 + MINUTE)
      const records = [two, { ...one, number: 7 }, one, one]
      const answer = await suite.store.recordAttempts({ nodeId: FIRST_NODE, now: T0 + 1, records })
      expect(answer.results).toEqual(['recorded', 'stale', 'recorded', 'stale'])
      expect(answer.configVersion).toBe(await suite.configVersion())
    })
  })
}

function fences(suite: StoreSuite): void {
  describe('records: fences', () => {
    const unchanged = async (deliveryId: string, act: () => Promise<unknown>) => {
      const before = await suite.store.listAttempts({ scope: LIVE, deliveryId })
      await act()
      expect(await suite.store.listAttempts({ scope: LIVE, deliveryId })).toEqual(before)
    }

    it('changes nothing for another node, another number or another delivery', async () => {
      await suite.join('node-b')
      const { endpointId, deliveryId } = await suite.delivery()
      const record = attemptRecord(await suite.claimOne(FIRST_NODE, endpointId), {
        endpointEffect: { kind: 'disable', reason: 'gone' },
      })
      await unchanged(deliveryId, async () => {
        expect(await suite.record('node-b', record)).toBe('stale')
        expect(await suite.record('node-z', record)).toBe('stale')
        expect(await suite.record(FIRST_NODE, { ...record, number: 2 })).toBe('stale')
        expect(await suite.record(FIRST_NODE, { ...record, position: record.position + 1000 })).toBe('stale')
      })
      expect(await suite.store.findEndpoint({ scope: LIVE, endpointId })).toMatchObject({ status: 'enabled' })
      expect(await suite.record(FIRST_NODE, record)).toBe('recorded')
    })

    it('records the same attempt once', async () => {
      const { endpointId, deliveryId } = await suite.delivery()
      const claim = await suite.claimOne(FIRST_NODE, endpointId)
      const record = failedRecord(claim, T0 + MINUTE)
      expect(await suite.record(FIRST_NODE, record)).toBe('recorded')
      await unchanged(deliveryId, async () => {
        expect(await suite.record(FIRST_NODE, attemptRecord(claim), T0 + 999)).toBe('stale')
      })
    })

    it('records nothing late for an attempt that is over when the next is in flight', async () => {
      const { endpointId, deliveryId } = await suite.delivery()
      const first = await suite.claimOne(FIRST_NODE, endpointId)
      await suite.record(FIRST_NODE, failedRecord(first, T0 + MINUTE))
      await suite.claimOne(FIRST_NODE, endpointId, T0 + MINUTE)
      await unchanged(deliveryId, async () => {
        expect(await suite.record(FIRST_NODE, attemptRecord(first))).toBe('stale')
      })
    })

    it('records nothing for a delivery that nobody holds', async () => {
      const { endpointId, deliveryId } = await suite.delivery()
      const claim = await suite.claimOne(FIRST_NODE, endpointId)
      const give = { nodeId: FIRST_NODE, now: T0, claims: [{ ...claim, dueAt: T0 }] }
      await suite.store.releaseClaims(give)
      await unchanged(deliveryId, async () => {
        expect(await suite.record(FIRST_NODE, attemptRecord(claim))).toBe('stale')
        expect(await suite.record(FIRST_NODE, attemptRecord(claim, { number: 0 }))).toBe('stale')
      })
    })
  })
}

function endedMeanwhile(suite: StoreSuite): void {
  describe('records: deliveries that were cancelled while in flight', () => {
    for (const outcome of ['delivered', 'retry'] as const) {
      it(`keeps the delivery cancelled and the attempt on record (${outcome})`, async () => {
        const { endpointId, deliveryId } = await suite.delivery()
        const claim = await suite.claimOne(FIRST_NODE, endpointId)
        const cancelled = await suite.store.cancelDelivery({ scope: LIVE, deliveryId, now: T0 + 1 })
        expect(cancelled).toMatchObject({ status: 'cancelled', reason: 'requested', nextAttemptAt: null })
        const record = outcome === 'delivered' ? attemptRecord(claim) : failedRecord(claim, T0 + MINUTE)
        expect(await suite.record(FIRST_NODE, record)).toBe('recorded')
        expect(await suite.row(deliveryId)).toMatchObject({
          status: 'cancelled',
          reason: 'requested',
          nextAttemptAt: null,
          lastOutcome: record.outcome,
        })
        expect(await suite.attempts(deliveryId)).toMatchObject([{ number: 1, outcome: record.outcome }])
        expect(await suite.dueEndpoints()).toEqual([])
      })
    }

    it('ends a retry of an endpoint deleted meanwhile as cancelled, when its pending ones end', async () => {
      const { endpointId, deliveryId } = await suite.delivery()
      const claim = await suite.claimOne(FIRST_NODE, endpointId)
      await suite.store.changeEndpoint({ scope: LIVE, endpointId, change: { kind: 'delete' }, now: T0 })
      const ending = { now: T0 + MINUTE, disabledBefore: 0, limit: 10 }
      await suite.store.cancelHeld(ending)
      expect(await suite.row(deliveryId)).toMatchObject({ status: 'pending', attemptCount: 1 })
      expect(await suite.record(FIRST_NODE, failedRecord(claim, T0 + MINUTE))).toBe('recorded')
      await suite.store.cancelHeld(ending)
      expect(await suite.row(deliveryId)).toMatchObject({ status: 'cancelled', reason: 'endpoint_deleted' })
      expect(await suite.attempts(deliveryId)).toMatchObject([{ outcome: 'http_error' }])
    })

    it('keeps a success for an endpoint deleted meanwhile', async () => {
      const { endpointId, deliveryId } = await suite.delivery()
      const claim = await suite.claimOne(FIRST_NODE, endpointId)
      await suite.store.changeEndpoint({ scope: LIVE, endpointId, change: { kind: 'delete' }, now: T0 })
      expect(await suite.record(FIRST_NODE, attemptRecord(claim))).toBe('recorded')
      expect(await suite.row(deliveryId)).toMatchObject({ status: 'delivered' })
    })
  })
}

function endpointEffects(suite: StoreSuite): void {
  describe('records: effects on the endpoint', () => {
    /** One attempt at the endpoint with this effect. */
    const recordEffect = async (endpointId: string, endpointEffect: EndpointEffect, now: number) => {
      await suite.delivery({ endpointId, at: now })
      const input: Partial<AttemptRecord> = { endpointEffect }
      const record = failedRecord(await suite.claimOne(FIRST_NODE, endpointId, now), now + MINUTE, input)
      expect(await suite.record(FIRST_NODE, record, now)).toBe('recorded')
    }

    it('keeps the time of the first failure until it recovers', async () => {
      const { id: endpointId } = await suite.endpoint()
      const find = () => suite.store.findEndpoint({ scope: LIVE, endpointId })
      await recordEffect(endpointId, { kind: 'failing_since', at: T0 + 1 }, T0 + 1)
      await recordEffect(endpointId, { kind: 'failing_since', at: T0 + 2 }, T0 + 2)
      expect(await find()).toMatchObject({ failingSince: T0 + 1 })
      await recordEffect(endpointId, { kind: 'recovered' }, T0 + 3)
      expect(await find()).toMatchObject({ failingSince: null, status: 'enabled' })
    })

    it('leaves the config version as it is for health, so that a flapping endpoint makes no item stale', async () => {
      const { id: endpointId } = await suite.endpoint()
      const version = await suite.configVersion()
      await recordEffect(endpointId, { kind: 'failing_since', at: T0 }, T0)
      await recordEffect(endpointId, { kind: 'recovered' }, T0)
      expect(await suite.configVersion()).toBe(version)
    })

    it('disables once, with the reason and the time, and raises the config version', async () => {
      const { id: endpointId } = await suite.endpoint()
      const version = await suite.configVersion()
      await suite.delivery({ endpointId })
      const last = await suite.claimOne(FIRST_NODE, endpointId)
      await recordEffect(endpointId, { kind: 'disable', reason: 'gone' }, T0 + 5)
      const disabled = { status: 'disabled', disabledReason: 'gone', disabledAt: T0 + 5 }
      expect(await suite.store.findEndpoint({ scope: LIVE, endpointId })).toMatchObject(disabled)
      expect(await suite.configVersion()).not.toBe(version)
      const again = failedRecord(last, T0 + MINUTE, { endpointEffect: { kind: 'disable', reason: 'failing' } })
      expect(await suite.record(FIRST_NODE, again, T0 + 9)).toBe('recorded')
      expect(await suite.store.findEndpoint({ scope: LIVE, endpointId })).toMatchObject(disabled)
      expect(await suite.dueEndpoints()).toEqual([])
    })
  })
}
