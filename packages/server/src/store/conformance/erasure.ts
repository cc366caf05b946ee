import { describe, expect, it } from 'vitest'
import { acceptItem, attemptRecord, bytes, failedRecord, LIVE, MINUTE, T0, target } from './builders.ts'
import { FIRST_NODE, type StoreSuite } from './suite.ts'

export function erasureTests(suite: StoreSuite): void {
  const erase = (eventPosition: number, now = T0 + 7) => suite.store.eraseEvent({ eventPosition, now })
  const find = async (eventId: string) => (await suite.store.findEvents({ scope: LIVE, eventId }))[0]

  describe('erasure', () => {
    it('takes the payload away and leaves what says that there was an event', async () => {
      const { item, event, endpointId } = await suite.delivery()
      const before = await find(item.eventId)
      expect(before).toMatchObject({ payloadGone: null })
      expect(await erase(event.position)).toEqual({ endpointIds: [endpointId] })
      const after = await find(item.eventId)
      const deliveries = { ...before?.deliveries, pending: 0, cancelled: 1 }
      expect(after).toEqual({
        ...before,
        body: new Uint8Array(),
        payloadGone: { at: T0 + 7, by: 'erasure' },
        deliveries,
      })
      for (const reader of [null, endpointId]) {
        expect(await suite.store.readBody({ eventPosition: event.position, endpointId: reader })).toBeNull()
      }
      expect(await erase(event.position, T0 + 9)).toBeNull()
      expect(await erase(event.position + 1000)).toBeNull()
      expect(await find(item.eventId)).toEqual(after)
    })

    it('ends what is pending, for good', async () => {
      const { event, endpointId, deliveryId } = await suite.delivery()
      const before = await suite.row(deliveryId)
      await erase(event.position)
      const ended = { status: 'cancelled', reason: 'erased', nextAttemptAt: null, updatedAt: T0 + 7 } as const
      expect(await suite.row(deliveryId)).toEqual({ ...before, ...ended })
      expect(await suite.claim(FIRST_NODE, endpointId, { now: T0 + MINUTE })).toEqual([])
      const ask = { eventPosition: event.position, newDeliveryId: 'dlv_new', now: T0 + MINUTE }
      for (const what of [
        { kind: 'all' } as const,
        { kind: 'delivery', deliveryId } as const,
        { kind: 'endpoint', endpointId } as const,
        { kind: 'endpoint', endpointId: (await suite.endpoint()).id } as const,
      ]) {
        expect(await suite.store.replayDeliveries({ ...ask, target: what })).toBe('payload_gone')
      }
    })

    it('keeps outcomes and forgets what receivers answered, also later', async () => {
      const { event, endpointId, deliveryId } = await suite.delivery()
      const first = await suite.claimOne(FIRST_NODE, endpointId)
      await suite.record(FIRST_NODE, { ...failedRecord(first, T0 + 99), excerpt: bytes('echo') }, T0 + 50)
      const second = await suite.claimOne(FIRST_NODE, endpointId, T0 + 99)
      await erase(event.position, T0 + 100)
      const answered = { excerpt: bytes('echo'), responseHeaders: { 'x-echo': 'echo' } }
      expect(await suite.record(FIRST_NODE, attemptRecord(second, answered), T0 + 120)).toBe('recorded')
      const attempts = await suite.attempts(deliveryId)
      expect(attempts.map(({ number }) => number)).toEqual([1, 2])
      for (const attempt of attempts) expect(attempt).toMatchObject({ excerpt: null, responseHeaders: {} })
      expect(await suite.row(deliveryId)).toMatchObject({ status: 'cancelled', reason: 'erased' })
    })

    it('leaves what ended before as it ended', async () => {
      const { event, endpointId, deliveryId } = await suite.delivery()
      await suite.deadLetter(FIRST_NODE, endpointId)
      const before = await suite.row(deliveryId)
      expect(await erase(event.position)).toEqual({ endpointIds: [] })
      expect(await suite.row(deliveryId)).toEqual(before)
    })

    it('leaves the id taken: the same bytes are a duplicate, and others a conflict', async () => {
      const { item, event } = await suite.delivery()
      await erase(event.position)
      const again = await suite.accept([item])
      expect(again).toMatchObject([{ kind: 'duplicate', eventId: item.eventId }])
      const other = acceptItem({ eventId: item.eventId, targets: [target((await suite.endpoint()).id)] })
      expect(await suite.accept([{ ...other, fingerprint: new Uint8Array(32).fill(9) }])).toMatchObject([
        { kind: 'conflict' },
      ])
    })
  })
}
