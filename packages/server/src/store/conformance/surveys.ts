import { describe, expect, it } from 'vitest'
import type { EventFilter, ReadScope } from '../rows.ts'
import type { DeliveryGroup, EndedFilter, EventGroup } from '../surveys.ts'
import { ANY_EVENT, acceptItem, LIVE, MINUTE, newId, T0, target } from './builders.ts'
import { FIRST_NODE, type StoreSuite } from './suite.ts'

const DEAD: EndedFilter = {
  ...{ statuses: ['dead_lettered'], endpointId: null, runId: null, types: [], errorCode: null },
  ...{ since: null, until: null, changedUntil: null },
}

export function surveyTests(suite: StoreSuite): void {
  ofDeliveries(suite)
  ofEvents(suite)
  inOrder(suite)
}

/** All of a walk, in steps of `limit`. */
async function survey(
  { store }: StoreSuite,
  filter: Partial<EndedFilter> = {},
  { scope = LIVE, limit = 2 }: { scope?: ReadScope; limit?: number } = {},
): Promise<DeliveryGroup[]> {
  const groups: DeliveryGroup[] = []
  let upTo: number | null = null
  for (let after: number | null = 0; after !== null;) {
    const step = await store.surveyDeliveries({ scope, filter: { ...DEAD, ...filter }, after, upTo, limit })
    groups.push(...step.groups)
    if (step.next !== null) expect(step.next).toBeGreaterThan(after)
    upTo ??= step.upTo
    expect(step.upTo).toBe(upTo)
    after = step.next
  }
  return groups
}

const total = (groups: readonly { count: number }[]) => groups.reduce((sum, { count }) => sum + count, 0)

/** A dead letter of a new event. */
async function dead(suite: StoreSuite, endpointId: string, type = 'agent.run.completed', now = T0) {
  const one = await suite.delivery({ endpointId, item: { type, runId: newId('run') } })
  await suite.deadLetter(FIRST_NODE, endpointId, now)
  return one
}

function ofDeliveries(suite: StoreSuite): void {
  describe('surveys of deliveries', () => {
    it('count what has ended by endpoint, type and error, with times and an example, in steps of any length', async () => {
      const [one, two] = [await suite.endpoint(), await suite.endpoint()]
      await dead(suite, one.id, 'acme.a.b', T0 + 1)
      await dead(suite, two.id)
      const last = await dead(suite, one.id, 'acme.a.b', T0 + 9)
      await dead(suite, one.id)
      await suite.delivery({ endpointId: one.id })
      for (const limit of [1, 3, 100]) {
        const groups = await survey(suite, {}, { limit })
        expect(total(groups)).toBe(4)
        expect(total(groups.filter(({ endpointId }) => endpointId === one.id))).toBe(3)
      }
      const [group] = await survey(suite, { types: ['acme.*'] }, { limit: 100 })
      expect(group).toEqual({
        ...{ endpointId: one.id, eventType: 'acme.a.b', errorCode: 'timeout', obstacle: null, count: 2 },
        ...{ firstAt: T0 + 1, lastAt: T0 + 9, exampleId: last.deliveryId },
      })
    })

    it('look at one mode and tenant, and go by each filter', async () => {
      const { id } = await suite.endpoint({ tenantId: '*' })
      const first = await suite.delivery({ endpointId: id, item: { tenantId: 'acme' }, at: T0 - MINUTE })
      await suite.deadLetter(FIRST_NODE, id, T0)
      const second = await suite.delivery({ endpointId: id, item: { tenantId: 'other', runId: 'run-2' } })
      await suite.deadLetter(FIRST_NODE, id, T0 + MINUTE)
      const scope = { mode: 'live', tenantId: 'acme' } as const
      expect(await survey(suite, {}, { scope })).toMatchObject([{ count: 1, exampleId: first.deliveryId }])
      expect(await survey(suite, {}, { scope: { mode: 'test', tenantId: null } })).toEqual([])
      const both = [first.deliveryId, second.deliveryId]
      const wanted: [Partial<EndedFilter>, string[]][] = [
        [{}, both],
        [{ runId: 'run-2' }, both.slice(1)],
        [{ runId: 'nobody' }, []],
        [{ endpointId: id }, both],
        [{ endpointId: 'ep_none' }, []],
        [{ statuses: ['delivered'] }, []],
        [{ statuses: ['dead_lettered', 'delivered'] }, both],
        [{ statuses: ['dead_lettered', 'cancelled'], endpointId: id }, both],
        [{ errorCode: 'timeout' }, both],
        [{ errorCode: 'dns_failed' }, []],
        [{ since: T0 }, both.slice(1)],
        [{ until: T0 }, both.slice(0, 1)],
        [{ changedUntil: T0 }, both.slice(0, 1)],
        [{ types: ['agent.run.*'] }, both],
        [{ types: ['acme.*'] }, []],
      ]
      for (const [filter, ids] of wanted) {
        const found = (await survey(suite, filter, { limit: 1 })).map(({ exampleId }) => exampleId)
        expect([filter, found]).toEqual([filter, ids])
      }
    })

    it('say what would keep deliveries from being sent again, and leave out what was discarded', async () => {
      const gone = await suite.endpoint()
      await dead(suite, gone.id)
      const narrow = await suite.endpoint({ dataClasses: ['public', 'summary', 'personal'] })
      const source = acceptItem({ targets: [target(narrow.id)], classes: 8, runId: null })
      await suite.acceptOne(source)
      await suite.deadLetter(FIRST_NODE, narrow.id)
      const erased = await dead(suite, (await suite.endpoint()).id)
      const discarded = await dead(suite, (await suite.endpoint()).id)
      await suite.store.changeEndpoint({ scope: LIVE, endpointId: gone.id, change: { kind: 'delete' }, now: T0 })
      await suite.grant(narrow.id, ['public', 'summary'])
      await suite.store.eraseEvent({ eventPosition: erased.event.position, now: T0 })
      await suite.store.discardDeadLetter({ scope: LIVE, deliveryId: discarded.deliveryId, note: null, now: T0 })
      const groups = await survey(suite)
      expect(groups.map(({ endpointId, obstacle }) => [endpointId, obstacle])).toEqual([
        [gone.id, 'endpoint_deleted'],
        [narrow.id, 'policy_changed'],
        [erased.endpointId, 'payload_gone'],
      ])
    })

    it('end at the position they began with, whatever comes meanwhile', async () => {
      const { id } = await suite.endpoint()
      await dead(suite, id)
      const { upTo } = await suite.store.surveyDeliveries({ scope: LIVE, filter: DEAD, after: 0, upTo: null, limit: 1 })
      await dead(suite, id)
      const step = await suite.store.surveyDeliveries({ scope: LIVE, filter: DEAD, after: 0, upTo, limit: 100 })
      expect([total(step.groups), step.next]).toEqual([1, null])
    })
  })
}

function ofEvents(suite: StoreSuite): void {
  describe('surveys of events', () => {
    it('count what an endpoint has subscribed to, what it has had, and what is gone', async () => {
      const had = await suite.delivery()
      const later = await suite.endpoint({ eventTypes: ['agent.run.*', 'acme.*'] })
      const subscriber = { endpointId: had.endpointId, eventTypes: later.eventTypes }
      const erased = await suite.acceptOne(acceptItem())
      await suite.store.eraseEvent({ eventPosition: erased.position, now: T0 })
      await suite.acceptOne(acceptItem({ type: 'acme.a.b' }))
      await suite.acceptOne(acceptItem({ type: 'zeta.a.b' }))
      const groups: EventGroup[] = []
      for (let after: number | null = 0, upTo: number | null = null; after !== null;) {
        const input = { scope: LIVE, filter: ANY_EVENT, subscriber, after, upTo, limit: 1 }
        const step = await suite.store.surveyEvents(input)
        groups.push(...step.groups)
        upTo = step.upTo
        after = step.next
      }
      expect(groups).toEqual([
        { eventType: 'agent.run.completed', obstacle: 'already_there', count: 1 },
        { eventType: 'agent.run.completed', obstacle: 'payload_gone', count: 1 },
        { eventType: 'acme.a.b', obstacle: null, count: 1 },
      ])
    })
  })
}

function inOrder(suite: StoreSuite): void {
  async function scan(filter: Partial<EventFilter>, { scope = LIVE, limit = 100, maxBytes = 1e9 } = {}) {
    const found: string[] = []
    let steps = 0
    for (let after: number | null = 0, upTo: number | null = null; after !== null; steps++) {
      const input = { scope, filter: { ...ANY_EVENT, ...filter }, after, upTo, limit, maxBytes }
      const step = await suite.store.scanEvents(input)
      found.push(...step.rows.map(({ eventId }) => eventId))
      upTo = step.upTo
      after = step.next
    }
    return { found, steps }
  }

  describe('events in the order of their commits', () => {
    it('come once each, in steps bounded by rows and by bytes, by tenant, run, type and time', async () => {
      const items = [
        acceptItem({ type: 'acme.a.b', tenantId: 'acme', runId: 'r1' }),
        acceptItem({ type: 'acme.a.c', tenantId: 'acme' }),
        acceptItem({ tenantId: 'other', data: `{"text":"${'x'.repeat(2000)}"}` }),
        acceptItem({ tenantId: 'acme', data: `{"text":"${'y'.repeat(2000)}"}` }),
      ]
      for (const [index, item] of items.entries()) await suite.acceptOne(item, { at: T0 + index })
      await suite.acceptOne(acceptItem({ mode: 'test' }))
      const ids = items.map(({ eventId }) => eventId)
      expect(await scan({})).toMatchObject({ found: ids })
      expect(await scan({}, { limit: 1 })).toMatchObject({ found: ids })
      const bounded = await scan({}, { maxBytes: 1500 })
      expect(bounded.found).toEqual(ids)
      expect(bounded.steps).toBe(3)
      expect((await scan({ types: ['acme.*'] }, { limit: 1 })).found).toEqual(ids.slice(0, 2))
      expect((await scan({ runId: 'r1' })).found).toEqual(ids.slice(0, 1))
      expect((await scan({ since: T0 + 1, until: T0 + 3 })).found).toEqual(ids.slice(1, 3))
      const scope = { mode: 'live', tenantId: 'acme' } as const
      const acme = [ids[0], ids[1], ids[3]]
      expect((await scan({}, { scope, limit: 1 })).found).toEqual(acme)
    })

    it('are whole rows, and end where they began to be read', async () => {
      const item = acceptItem()
      await suite.acceptOne(item)
      const input = { scope: LIVE, filter: ANY_EVENT, after: 0, limit: 100, maxBytes: 1e9 }
      const { upTo, rows } = await suite.store.scanEvents({ ...input, upTo: null })
      expect(rows).toEqual(await suite.store.findEvents({ scope: LIVE, eventId: item.eventId }))
      await suite.acceptOne(acceptItem())
      expect((await suite.store.scanEvents({ ...input, upTo })).rows).toEqual(rows)
    })
  })
}
