import { describe, expect, it } from 'vitest'
import type { AcceptItem } from '../accept.ts'
import { acceptItem, ALL_DELIVERIES, ALL_EVENTS, LIVE, newId, T0, target } from './builders.ts'
import { FIRST_NODE, type StoreSuite } from './suite.ts'

/** The same request again: the same event id and bytes, matched anew. */
function again(item: AcceptItem): AcceptItem {
  return { ...item, targets: item.targets.map((one) => ({ ...one, deliveryId: newId('delivery') })) }
}

export function idempotencyTests(suite: StoreSuite): void {
  byEventId(suite)
  byKey(suite)
  concurrently(suite)
}

function byEventId(suite: StoreSuite): void {
  describe('acceptance: the same event id', () => {
    it('gives the first answer again for the same bytes, over batches', async () => {
      const { item } = await suite.delivery({ at: T0 + 1 })
      const results = await suite.accept([again(item)], { at: T0 + 99 })
      expect(results).toEqual([
        { kind: 'duplicate', eventId: item.eventId, sequence: 1, recordedAt: T0 + 1, deliveries: 1, warnings: [] },
      ])
      const page = await suite.store.listDeliveries(ALL_DELIVERIES)
      expect(page.rows).toHaveLength(1)
    })

    it('gives the first answer again within one batch', async () => {
      const item = acceptItem({ targets: [target((await suite.endpoint()).id)] })
      const results = await suite.accept([item, again(item), acceptItem()])
      expect(results).toMatchObject([
        { kind: 'accepted', sequence: 1 },
        { kind: 'duplicate', eventId: item.eventId, sequence: 1, recordedAt: T0, deliveries: 1 },
        // A duplicate uses up no sequence.
        { kind: 'accepted', sequence: 2 },
      ])
    })

    it('refuses other bytes, within one batch and over batches', async () => {
      const item = acceptItem()
      const other = acceptItem({ eventId: item.eventId, data: '{"status":"failed"}' })
      const conflict = { kind: 'conflict', eventId: item.eventId }
      expect(await suite.accept([item, other])).toMatchObject([{ kind: 'accepted' }, conflict])
      expect(await suite.accept([other, acceptItem()])).toMatchObject([conflict, { kind: 'accepted', sequence: 2 }])
      const rows = await suite.store.findEvents({ scope: LIVE, eventId: item.eventId })
      expect(rows).toHaveLength(1)
    })

    it('keeps the ids of tenants and modes apart', async () => {
      const item = acceptItem()
      const elsewhere = [
        acceptItem({ eventId: item.eventId, tenantId: 'other', data: '{"a":1}' }),
        acceptItem({ eventId: item.eventId, mode: 'test', data: '{"a":2}' }),
      ]
      const results = await suite.accept([item, ...elsewhere])
      expect(results.map((result) => result.kind)).toEqual(['accepted', 'accepted', 'accepted'])
    })

    it('knows a duplicate even when the item was matched before endpoints changed', async () => {
      const item = acceptItem({ configVersion: await suite.configVersion() })
      const batch = { nodeId: FIRST_NODE, recordedAt: T0, runEventBudget: 1000, items: [item] }
      expect(await suite.store.acceptEvents(batch)).toMatchObject([{ kind: 'accepted' }])
      await suite.endpoint()
      expect(await suite.store.acceptEvents(batch)).toMatchObject([{ kind: 'duplicate', eventId: item.eventId }])
    })

    it('grants nothing to a duplicate', async () => {
      const { item, deliveryId } = await suite.delivery()
      const granted = { ...item, targets: item.targets.map((one) => ({ ...one, grant: true })) }
      expect(await suite.accept([granted])).toMatchObject([{ kind: 'duplicate' }])
      expect(await suite.row(deliveryId)).toMatchObject({ attemptCount: 0, nextAttemptAt: T0 })
    })
  })
}

function byKey(suite: StoreSuite): void {
  describe('acceptance: the same idempotency key', () => {
    /** As the API makes it: a new event id on every try. */
    const keyed = (input: Partial<AcceptItem> & { data?: string } = {}) =>
      acceptItem({ idempotencyKey: 'order-1', ...input })

    it('gives the first event id for the same bytes', async () => {
      const first = keyed()
      await suite.acceptOne(first, { at: T0 + 1 })
      const answer = {
        kind: 'duplicate',
        eventId: first.eventId,
        sequence: 1,
        recordedAt: T0 + 1,
        deliveries: 0,
        warnings: [],
      }
      expect(await suite.accept([keyed(), keyed()], { at: T0 + 99 })).toEqual([answer, answer])
      expect((await suite.store.listEvents(ALL_EVENTS)).rows).toHaveLength(1)
    })

    it('gives the first event id within one batch', async () => {
      const [first, second] = [keyed(), keyed()]
      const results = await suite.accept([first, second])
      expect(results).toMatchObject([{ kind: 'accepted' }, { kind: 'duplicate', eventId: first.eventId }])
    })

    it('refuses other bytes and names the first event', async () => {
      const first = keyed()
      await suite.acceptOne(first)
      const results = await suite.accept([keyed({ data: '{"other":true}' })])
      expect(results).toEqual([{ kind: 'conflict', eventId: first.eventId }])
    })

    it('keeps the keys of tenants and modes apart, and keys apart from ids', async () => {
      const first = keyed()
      await suite.acceptOne(first)
      const others = [
        keyed({ tenantId: 'other' }),
        keyed({ mode: 'test' }),
        keyed({ idempotencyKey: first.eventId, data: '{"a":1}' }),
      ]
      const results = await suite.accept(others)
      expect(results.map((result) => result.kind)).toEqual(['accepted', 'accepted', 'accepted'])
    })

    it('leaves the key free when its item was stale', async () => {
      const stale = keyed({ configVersion: await suite.configVersion() })
      await suite.endpoint()
      const batch = { nodeId: FIRST_NODE, recordedAt: T0, runEventBudget: 1000, items: [stale] }
      expect(await suite.store.acceptEvents(batch)).toMatchObject([{ kind: 'stale' }])
      expect(await suite.accept([keyed({ data: '{"a":1}' })])).toMatchObject([{ kind: 'accepted' }])
    })
  })
}

function concurrently(suite: StoreSuite): void {
  describe('acceptance: at the same time', () => {
    it('makes one event of fifty calls with one id', async () => {
      const item = acceptItem({ targets: [target((await suite.endpoint()).id)] })
      const calls = Array.from({ length: 50 }, () => suite.accept([again(item)]))
      const results = (await Promise.all(calls)).flat()
      expect(results.filter((result) => result.kind === 'accepted')).toHaveLength(1)
      const duplicates = results.filter((result) => result.kind === 'duplicate')
      expect(duplicates).toHaveLength(49)
      expect(duplicates.every((result) => result.sequence === 1 && result.deliveries === 1)).toBe(true)
      expect((await suite.store.listEvents(ALL_EVENTS)).rows).toHaveLength(1)
      expect((await suite.store.listDeliveries(ALL_DELIVERIES)).rows).toHaveLength(1)
    })

    it('makes one event of fifty calls with one idempotency key', async () => {
      const calls = Array.from({ length: 50 }, () => suite.accept([acceptItem({ idempotencyKey: 'order-1' })]))
      const results = (await Promise.all(calls)).flat()
      expect(results.filter((result) => result.kind === 'accepted')).toHaveLength(1)
      const { rows } = await suite.store.listEvents(ALL_EVENTS)
      expect(rows).toHaveLength(1)
      const ids = results.flatMap((result) => (result.kind === 'duplicate' ? [result.eventId] : []))
      expect(new Set(ids)).toEqual(new Set([rows[0]?.eventId]))
      expect(ids).toHaveLength(49)
    })
  })
}
