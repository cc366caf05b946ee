import { describe, expect, it } from 'vitest'
import type { EndpointChange } from '../rows.ts'
import { LIVE, MINUTE, T0 } from './builders.ts'
import { FIRST_NODE, type OneDelivery, type StoreSuite } from './suite.ts'

export function endingTests(suite: StoreSuite): void {
  expiring(suite)
  cancellingHeld(suite)
  onRequest(suite)
}

async function several(suite: StoreSuite, count: number, deadline: number | null = null): Promise<OneDelivery[]> {
  const { id: endpointId } = await suite.endpoint()
  const made: OneDelivery[] = []
  for (let index = 0; index < count; index++) made.push(await suite.delivery({ endpointId, item: { deadline } }))
  return made
}

async function statuses(suite: StoreSuite, deliveries: OneDelivery[]): Promise<string[]> {
  return Promise.all(deliveries.map(async ({ deliveryId }) => (await suite.row(deliveryId)).status))
}

function expiring(suite: StoreSuite): void {
  describe('endings: deadlines', () => {
    it('expires what is past its deadline, at most the limit a call', async () => {
      const late = await several(suite, 3, T0 + 10)
      const others = [...(await several(suite, 1, T0 + MINUTE)), ...(await several(suite, 1))]
      expect(await suite.store.expireDeliveries({ now: T0 + 9, limit: 10 })).toBe(0)
      expect(await suite.store.expireDeliveries({ now: T0 + 11, limit: 2 })).toBe(2)
      expect(await suite.store.expireDeliveries({ now: T0 + 11, limit: 2 })).toBe(1)
      expect(await suite.store.expireDeliveries({ now: T0 + 11, limit: 2 })).toBe(0)
      expect(await statuses(suite, late)).toEqual(['expired', 'expired', 'expired'])
      expect(await statuses(suite, others)).toEqual(['pending', 'pending'])
      const ended = { reason: 'deadline_passed', nextAttemptAt: null, updatedAt: T0 + 11 }
      expect(await suite.row(late[0]?.deliveryId as string)).toMatchObject(ended)
    })

    it('lets an attempt in flight end by itself', async () => {
      const { endpointId, deliveryId } = await suite.delivery({ item: { deadline: T0 + 10 } })
      await suite.claimOne(FIRST_NODE, endpointId)
      expect(await suite.store.expireDeliveries({ now: T0 + MINUTE, limit: 10 })).toBe(0)
      expect(await suite.row(deliveryId)).toMatchObject({ status: 'pending', attemptCount: 1 })
    })

    it('expires the deliveries of endpoints that may not send too', async () => {
      const { endpointId, deliveryId } = await suite.delivery({ item: { deadline: T0 + 10 } })
      const change = { kind: 'status', status: 'paused', reason: null } as const
      await suite.store.changeEndpoint({ scope: LIVE, endpointId, change, now: T0 })
      expect(await suite.store.expireDeliveries({ now: T0 + 11, limit: 10 })).toBe(1)
      expect(await suite.row(deliveryId)).toMatchObject({ status: 'expired' })
    })
  })
}

function cancellingHeld(suite: StoreSuite): void {
  const change = (endpointId: string, what: EndpointChange, now: number) =>
    suite.store.changeEndpoint({ scope: LIVE, endpointId, change: what, now })
  const disable: EndpointChange = { kind: 'status', status: 'disabled', reason: 'manual' }

  describe('endings: endpoints deleted or long disabled', () => {
    it('cancels what a deleted endpoint has pending, at most the limit a call', async () => {
      const held = await several(suite, 3)
      const kept = await several(suite, 1)
      await change(held[0]?.endpointId as string, { kind: 'delete' }, T0 + 1)
      const ask = { now: T0 + 5, disabledBefore: 0, limit: 2 }
      expect(await suite.store.cancelHeld(ask)).toBe(2)
      expect(await suite.store.cancelHeld(ask)).toBe(1)
      expect(await suite.store.cancelHeld(ask)).toBe(0)
      expect(await statuses(suite, held)).toEqual(['cancelled', 'cancelled', 'cancelled'])
      expect(await statuses(suite, kept)).toEqual(['pending'])
      const ended = { reason: 'endpoint_deleted', nextAttemptAt: null, updatedAt: T0 + 5 }
      expect(await suite.row(held[0]?.deliveryId as string)).toMatchObject(ended)
    })

    it('shares the limit between endpoints', async () => {
      const held = [...(await several(suite, 2)), ...(await several(suite, 2))]
      for (const { endpointId } of held) await change(endpointId, { kind: 'delete' }, T0)
      expect(await suite.store.cancelHeld({ now: T0, disabledBefore: 0, limit: 3 })).toBe(3)
      expect(await suite.store.cancelHeld({ now: T0, disabledBefore: 0, limit: 3 })).toBe(1)
    })

    it('cancels for a disabled endpoint only when it was disabled before the time given', async () => {
      const held = await several(suite, 2)
      const { endpointId } = held[0] as OneDelivery
      await change(endpointId, disable, T0 + 10)
      expect(await suite.store.cancelHeld({ now: T0 + 20, disabledBefore: T0 + 10, limit: 10 })).toBe(0)
      expect(await suite.store.cancelHeld({ now: T0 + 20, disabledBefore: T0 + 11, limit: 10 })).toBe(2)
      const ended = { status: 'cancelled', reason: 'endpoint_disabled' }
      expect(await suite.row(held[0]?.deliveryId as string)).toMatchObject(ended)
    })

    it('leaves what was enabled again, paused, or is in flight', async () => {
      const [enabled, paused, busy] = [await suite.delivery(), await suite.delivery(), await suite.delivery()]
      await suite.claimOne(FIRST_NODE, busy.endpointId)
      for (const { endpointId } of [enabled, paused, busy]) await change(endpointId, disable, T0)
      await change(enabled.endpointId, { kind: 'status', status: 'enabled', reason: null }, T0 + 1)
      await change(paused.endpointId, { kind: 'status', status: 'paused', reason: null }, T0 + 1)
      expect(await suite.store.cancelHeld({ now: T0 + 9, disabledBefore: T0 + 9, limit: 10 })).toBe(0)
    })

    it('cancels suspects like the others', async () => {
      const { endpointId, deliveryId } = await suite.delivery()
      await suite.claimOne(FIRST_NODE, endpointId)
      await suite.crashAll('node-b')
      await suite.rescueAll('node-b')
      await change(endpointId, { kind: 'delete' }, T0)
      expect(await suite.store.cancelHeld({ now: T0, disabledBefore: 0, limit: 10 })).toBe(1)
      expect(await suite.row(deliveryId)).toMatchObject({ status: 'cancelled', reason: 'endpoint_deleted' })
    })
  })
}

function onRequest(suite: StoreSuite): void {
  describe('endings: on request', () => {
    it('cancels what is pending, once', async () => {
      const { endpointId, deliveryId } = await suite.delivery()
      const row = await suite.store.cancelDelivery({ scope: LIVE, deliveryId, now: T0 + 1 })
      expect(row).toMatchObject({ status: 'cancelled', reason: 'requested', nextAttemptAt: null, updatedAt: T0 + 1 })
      expect(await suite.row(deliveryId)).toEqual(row)
      expect(await suite.store.cancelDelivery({ scope: LIVE, deliveryId, now: T0 + 2 })).toBeNull()
      expect(await suite.store.cancelDelivery({ scope: LIVE, deliveryId: 'dlv_nobody', now: T0 })).toBeNull()
      expect(await suite.claim(FIRST_NODE, endpointId)).toHaveLength(0)
    })

    it('takes a dead letter off the list, once, with a note', async () => {
      const { endpointId, deliveryId } = await suite.delivery()
      const discard = (note: string | null, now: number) =>
        suite.store.discardDeadLetter({ scope: LIVE, deliveryId, note, now })
      expect(await discard('too early', T0)).toBeNull()
      await suite.deadLetter(FIRST_NODE, endpointId)
      const row = await discard('known bug', T0 + 7)
      expect(row).toMatchObject({ status: 'dead_lettered', discardedAt: T0 + 7, note: 'known bug' })
      expect(await discard('again', T0 + 8)).toBeNull()
      expect(await suite.row(deliveryId)).toEqual(row)
    })
  })
}
