import { describe, expect, it } from 'vitest'
import type { CursorPage, DeliveryFilter, EventFilter, PageRequest } from '../rows.ts'
import {
  acceptItem,
  ALL_DELIVERIES,
  ALL_EVENTS,
  ANY_DELIVERY,
  ANY_EVENT,
  attemptRecord,
  failedRecord,
  LIVE,
  MINUTE,
  ONE_PAGE,
  T0,
  target,
} from './builders.ts'
import { FIRST_NODE, type StoreSuite } from './suite.ts'

export function readingTests(suite: StoreSuite): void {
  paging(suite)
  eventFilters(suite)
  deliveryFilters(suite)
  counting(suite)
}

/** Reads page by page to the end; every page but the last is full. */
async function readAll<Row>(limit: number, read: (page: PageRequest) => Promise<CursorPage<Row>>): Promise<Row[]> {
  const rows: Row[] = []
  for (let after: number | null = null; rows.length < 100;) {
    const page: CursorPage<Row> = await read({ limit, after })
    rows.push(...page.rows)
    if (page.next === null) break
    expect(page.rows).toHaveLength(limit)
    after = page.next
  }
  return rows
}

function paging(suite: StoreSuite): void {
  describe('reading: pages', () => {
    it('lists events newest first, in pages that fit together', async () => {
      const items = Array.from({ length: 7 }, () => acceptItem())
      await suite.accept(items)
      const newestFirst = items.map((item) => item.eventId).toReversed()
      for (const limit of [1, 3, 7, 8]) {
        const rows = await readAll(limit, (page) => suite.store.listEvents({ ...ALL_EVENTS, page }))
        expect(rows.map((row) => row.eventId)).toEqual(newestFirst)
      }
    })

    it('says on a full last page that there are no more', async () => {
      await suite.accept([acceptItem(), acceptItem()])
      const page = await suite.store.listEvents({ ...ALL_EVENTS, page: { limit: 2, after: null } })
      expect(page.rows).toHaveLength(2)
      expect(page.next).toBeNull()
    })

    it('keeps its place when events arrive between two pages', async () => {
      const items = [acceptItem(), acceptItem(), acceptItem()]
      await suite.accept(items)
      const first = await suite.store.listEvents({ ...ALL_EVENTS, page: { limit: 2, after: null } })
      await suite.accept([acceptItem()])
      const second = await suite.store.listEvents({ ...ALL_EVENTS, page: { limit: 2, after: first.next } })
      expect(second.rows.map((row) => row.eventId)).toEqual([items[0]?.eventId])
    })

    it('fills pages from what the filter leaves', async () => {
      const items = Array.from({ length: 10 }, (_, index) =>
        acceptItem({ type: index % 2 === 0 ? 'agent.run.completed' : 'acme.invoice.drafted' }),
      )
      await suite.accept(items)
      const filter = { ...ANY_EVENT, types: ['acme.*'] }
      const rows = await readAll(2, (page) => suite.store.listEvents({ scope: LIVE, filter, page }))
      expect(rows).toHaveLength(5)
    })

    it('lists deliveries newest first, in pages that fit together', async () => {
      const { id } = await suite.endpoint()
      const made: string[] = []
      for (let count = 0; count < 5; count++) made.push((await suite.delivery({ endpointId: id })).deliveryId)
      const rows = await readAll(2, (page) => suite.store.listDeliveries({ ...ALL_DELIVERIES, page }))
      expect(rows.map((row) => row.id)).toEqual(made.toReversed())
    })
  })
}

function eventFilters(suite: StoreSuite): void {
  describe('reading: filters of events', () => {
    const list = async (filter: Partial<EventFilter>) => {
      const page = await suite.store.listEvents({ scope: LIVE, filter: { ...ANY_EVENT, ...filter }, page: ONE_PAGE })
      return page.rows.map((row) => row.type).toReversed()
    }

    it('filters by type glob; no globs are every type, runbell.* included', async () => {
      const types = ['agent.run.completed', 'agent.tool_call.completed', 'acme.invoice.drafted', 'runbell.ping']
      await suite.accept(types.map((type) => acceptItem({ type })))
      expect(await list({ types: [] })).toEqual(types)
      expect(await list({ types: ['*'] })).toEqual(types.slice(0, 3))
      expect(await list({ types: ['agent.*.completed'] })).toEqual(types.slice(0, 2))
      expect(await list({ types: ['runbell.*', 'acme.*'] })).toEqual(types.slice(2))
      expect(await list({ types: ['acme.invoice.paid'] })).toEqual([])
    })

    it('filters by run and by time, since included and until not', async () => {
      await suite.acceptOne(acceptItem({ type: 'a.one', runId: 'r1' }), { at: T0 })
      await suite.acceptOne(acceptItem({ type: 'a.two', runId: 'r2' }), { at: T0 + 1 })
      await suite.acceptOne(acceptItem({ type: 'a.three', runId: 'r1' }), { at: T0 + 2 })
      await suite.acceptOne(acceptItem({ type: 'a.four', runId: null }), { at: T0 + 3 })
      expect(await list({ runId: 'r1' })).toEqual(['a.one', 'a.three'])
      expect(await list({ runId: 'r9' })).toEqual([])
      expect(await list({ since: T0 + 1, until: T0 + 3 })).toEqual(['a.two', 'a.three'])
      expect(await list({ since: T0 + 1, runId: 'r1', types: ['a.*'] })).toEqual(['a.three'])
    })
  })
}

function deliveryFilters(suite: StoreSuite): void {
  describe('reading: filters of deliveries', () => {
    const list = async (filter: Partial<DeliveryFilter>) => {
      const request = { scope: LIVE, filter: { ...ANY_DELIVERY, ...filter }, page: ONE_PAGE }
      const { rows } = await suite.store.listDeliveries(request)
      return rows.map((row) => row.id).toReversed()
    }

    it('filters by each field', async () => {
      const one = await suite.delivery({ at: T0, item: { runId: 'r1', type: 'acme.invoice.drafted' } })
      const two = await suite.delivery({ at: T0 + 1, item: { runId: 'r2' } })
      const three = await suite.delivery({ at: T0 + 2, endpointId: one.endpointId, item: { runId: null } })
      const [a, b, c] = [one.deliveryId, two.deliveryId, three.deliveryId]
      await suite.record(FIRST_NODE, attemptRecord(await suite.claimOne(FIRST_NODE, two.endpointId, T0 + 1)))
      const failed = failedRecord(await suite.claimOne(FIRST_NODE, one.endpointId, T0), T0 + MINUTE)
      await suite.record(FIRST_NODE, { ...failed, outcome: 'timeout', statusCode: null })
      expect(await list({})).toEqual([a, b, c])
      expect(await list({ eventPosition: two.event.position })).toEqual([b])
      expect(await list({ statuses: ['delivered'] })).toEqual([b])
      expect(await list({ statuses: ['delivered', 'pending'] })).toEqual([a, b, c])
      expect(await list({ statuses: ['expired'] })).toEqual([])
      expect(await list({ endpointId: one.endpointId })).toEqual([a, c])
      expect(await list({ endpointId: 'ep_nobody' })).toEqual([])
      expect(await list({ runId: 'r1' })).toEqual([a])
      expect(await list({ types: ['acme.*'] })).toEqual([a])
      expect(await list({ errorCode: 'timeout' })).toEqual([a])
      expect(await list({ since: T0 + 1, until: T0 + 2 })).toEqual([b])
      expect(await list({ endpointId: one.endpointId, statuses: ['pending'], since: T0 + 1 })).toEqual([c])
    })

    it('lists the dead letters that nobody has discarded', async () => {
      const [listed, discarded, replayed] = [await suite.delivery(), await suite.delivery(), await suite.delivery()]
      await suite.delivery()
      for (const { endpointId } of [listed, discarded, replayed]) await suite.deadLetter(FIRST_NODE, endpointId)
      const { deliveryId } = discarded
      await suite.store.discardDeadLetter({ scope: LIVE, deliveryId, note: null, now: T0 })
      const what = { kind: 'all' } as const
      const ask = { eventPosition: replayed.event.position, target: what, newDeliveryId: 'dlv_unused', now: T0 }
      await suite.store.replayDeliveries(ask)
      expect(await list({ deadLetters: true })).toEqual([listed.deliveryId])
      expect(await list({ statuses: ['dead_lettered'] })).toEqual([listed.deliveryId, deliveryId])
    })
  })
}

function counting(suite: StoreSuite): void {
  describe('reading: what an event has come to', () => {
    it('counts its deliveries by status, one in flight as pending', async () => {
      const endpoints = await Promise.all(Array.from({ length: 6 }, () => suite.endpoint()))
      const targets = endpoints.map(({ id }) => target(id))
      const item = acceptItem({ targets, deadline: T0 + MINUTE })
      await suite.acceptOne(item)
      const [delivered, dead, cancelled, inFlight] = endpoints.map(({ id }) => id) as [string, string, string, string]
      await suite.record(FIRST_NODE, attemptRecord(await suite.claimOne(FIRST_NODE, delivered)))
      await suite.deadLetter(FIRST_NODE, dead)
      const deliveryId = targets.find(({ endpointId }) => endpointId === cancelled)?.deliveryId as string
      await suite.store.cancelDelivery({ scope: LIVE, deliveryId, now: T0 })
      await suite.claimOne(FIRST_NODE, inFlight)
      const counts = async () => {
        const [row] = await suite.store.findEvents({ scope: LIVE, eventId: item.eventId })
        return row?.deliveries
      }
      const before = { total: 6, delivered: 1, pending: 3, dead_lettered: 1, cancelled: 1, expired: 0 }
      expect(await counts()).toEqual(before)
      await suite.store.expireDeliveries({ now: T0 + 2 * MINUTE, limit: 10 })
      expect(await counts()).toEqual({ ...before, pending: 1, expired: 2 })
    })

    it('finds nothing where there is nothing', async () => {
      const { store } = suite
      expect(await store.findEvents({ scope: LIVE, eventId: 'evt_nothing_here' })).toEqual([])
      expect(await store.findDelivery({ scope: LIVE, deliveryId: 'dlv_nothing' })).toBeNull()
      expect(await store.listAttempts({ scope: LIVE, deliveryId: 'dlv_nothing' })).toBeNull()
      expect(await store.listEvents(ALL_EVENTS)).toEqual({ rows: [], next: null })
      expect(await store.listDeliveries(ALL_DELIVERIES)).toEqual({ rows: [], next: null })
      expect(await store.listEndpoints({ scope: LIVE, page: ONE_PAGE })).toEqual({ rows: [], next: null })
      expect(await store.listApiKeys({ scope: LIVE, page: ONE_PAGE })).toEqual({ rows: [], next: null })
    })
  })
}
