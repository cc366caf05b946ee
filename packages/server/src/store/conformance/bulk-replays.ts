import { describe, expect, it } from 'vitest'
import type { AskedReplay, BulkReplayRow, HeldReplay } from '../bulk-replays.ts'
import type { GivenBody } from '../rows.ts'
import type { EndedFilter } from '../surveys.ts'
import { acceptItem, attemptRecord, bytes, LIVE, MINUTE, newId, T0, target, text } from './builders.ts'
import { FIRST_NODE, type StoreSuite } from './suite.ts'

const NOW = T0 + MINUTE
const UNCUT: GivenBody = { bytes: null, classes: 0 }

export function bulkReplayTests(suite: StoreSuite): void {
  asObjects(suite)
  reopening(suite)
  obstacles(suite)
  toEndpoints(suite)
  nodes(suite)
  afterwards(suite)
}

type Asking = Partial<Omit<AskedReplay, 'filter'>> & { filter?: Partial<EndedFilter>; tenantId?: string | null }

async function create(suite: StoreSuite, { filter, tenantId = null, ...asked }: Asking = {}): Promise<BulkReplayRow> {
  const whole: AskedReplay = {
    filter: {
      ...{ statuses: ['dead_lettered'], endpointId: null, runId: null, types: [], errorCode: null },
      ...{ since: null, until: null, changedUntil: T0, ...filter },
    },
    ...{ toEndpointId: null, ratePerSecond: 100, upTo: 1e9, matched: 3, matchedBy: { endpoints: [], types: [] } },
    ...asked,
  }
  const replay = { id: newId('replay'), mode: 'live', tenantId, asked: whole, createdAt: T0 } as const
  const row = await suite.store.createBulkReplay({ replay, maxRunning: 5 })
  if (row === null) throw new Error('too many run')
  return row
}

async function claimOne(suite: StoreSuite, nodeId = FIRST_NODE): Promise<HeldReplay> {
  const held = await suite.store.claimBulkReplays({ nodeId, limit: 10 })
  expect(held).toHaveLength(1)
  return held[0] as HeldReplay
}

const stepOf = ({ row, fence }: HeldReplay) => ({ replay: row.position, fence, now: NOW, look: 100, limit: 100 })

/** Dead letters of one endpoint, in the order of their positions. */
async function deadLetters(suite: StoreSuite, count: number, endpointId?: string): Promise<string[]> {
  const id = endpointId ?? (await suite.endpoint()).id
  const ids: string[] = []
  for (let index = 0; index < count; index++) {
    ids.push((await suite.delivery({ endpointId: id })).deliveryId)
    await suite.deadLetter(FIRST_NODE, id)
  }
  return ids
}

function asObjects(suite: StoreSuite): void {
  describe('bulk replays', () => {
    it('are kept, found and listed in their mode and tenant, newest first, in pages', async () => {
      const [first, second] = [await create(suite), await create(suite, { tenantId: 'acme' })]
      expect(first).toMatchObject({
        status: 'running',
        cursor: 0,
        counts: { replayed: 0 },
        endedAt: null,
        createdAt: T0,
      })
      const acme = { mode: 'live', tenantId: 'acme' } as const
      expect(await suite.store.findBulkReplay({ scope: LIVE, replayId: first.id })).toEqual(first)
      expect(await suite.store.findBulkReplay({ scope: acme, replayId: second.id })).toEqual(second)
      const hidden = [acme, { mode: 'test', tenantId: null } as const]
      for (const scope of hidden) expect(await suite.store.findBulkReplay({ scope, replayId: first.id })).toBeNull()
      const page = await suite.store.listBulkReplays({ scope: LIVE, page: { limit: 1, after: null } })
      expect(page.rows).toEqual([second])
      const next = await suite.store.listBulkReplays({ scope: LIVE, page: { limit: 1, after: page.next } })
      expect(next).toEqual({ rows: [first], next: null })
      const own = await suite.store.listBulkReplays({ scope: acme, page: { limit: 9, after: null } })
      expect(own.rows).toEqual([second])
    })

    it('are so many at once of a tenant, and no more', async () => {
      for (let count = 0; count < 5; count++) await create(suite)
      await expect(create(suite)).rejects.toThrow('too many')
      await create(suite, { tenantId: 'acme' })
      const [last] = (await suite.store.listBulkReplays({ scope: LIVE, page: { limit: 2, after: null } })).rows.slice(1)
      await suite.store.cancelBulkReplay({ scope: LIVE, replayId: last?.id as string, now: NOW })
      await create(suite)
    })

    it('that are cancelled do nothing any more, and are cancelled once, in their own scope, on record', async () => {
      await deadLetters(suite, 2)
      const { id: replayId } = await create(suite)
      const held = await claimOne(suite)
      await suite.store.advanceBulkReplay({ ...stepOf(held), limit: 1 })
      const acme = { mode: 'live', tenantId: 'acme' } as const
      expect(await suite.store.cancelBulkReplay({ scope: acme, replayId, now: NOW })).toBeNull()
      const entry = { mode: 'live', tenantId: null, at: NOW, actor: 'key_a', requestId: null, detail: {} } as const
      const audit = [{ ...entry, action: 'replay.cancelled' as const, target: replayId }]
      const cancelled = await suite.store.cancelBulkReplay({ scope: LIVE, replayId, now: NOW, audit })
      expect(cancelled).toMatchObject({ status: 'cancelled', endedAt: NOW, counts: { replayed: 1 } })
      expect(await suite.store.cancelBulkReplay({ scope: LIVE, replayId, now: NOW, audit })).toBeNull()
      expect(await suite.store.advanceBulkReplay(stepOf(held))).toBeNull()
      expect(await suite.store.claimBulkReplays({ nodeId: FIRST_NODE, limit: 9 })).toEqual([])
      const filter = { actor: null, actions: [], target: replayId, since: null, until: null }
      expect((await suite.store.listAudit({ scope: LIVE, filter, page: { limit: 9, after: null } })).rows).toHaveLength(
        1,
      )
    })
  })
}

function reopening(suite: StoreSuite): void {
  describe('bulk replays: reopening', () => {
    it('take each once, in rising position, a bounded step at a time', async () => {
      const ids = await deadLetters(suite, 5)
      await create(suite)
      const held = await claimOne(suite)
      const pending = async () => {
        const rows = await Promise.all(ids.map((id) => suite.row(id)))
        return rows.map(({ status }) => status === 'pending')
      }
      const first = await suite.store.advanceBulkReplay({ ...stepOf(held), limit: 2 })
      expect(first).toMatchObject({ replayed: 2, row: { status: 'running', counts: { replayed: 2 } } })
      expect(first?.endpointIds).toHaveLength(1)
      expect(await pending()).toEqual([true, true, false, false, false])
      // One that looks at little goes on all the same.
      expect(await suite.store.advanceBulkReplay({ ...stepOf(held), look: 1 })).toMatchObject({ replayed: 1 })
      const last = await suite.store.advanceBulkReplay(stepOf(held))
      expect(last).toMatchObject({ replayed: 2, row: { status: 'completed', endedAt: NOW, counts: { replayed: 5 } } })
      expect(await pending()).toEqual([true, true, true, true, true])
      expect(await suite.store.advanceBulkReplay(stepOf(held))).toBeNull()
      expect(await suite.row(ids[0] as string)).toMatchObject({ nextAttemptAt: NOW, attemptCount: 1 })
    })

    it('leave what failed again, or was discarded, or was replayed by hand, since they were made', async () => {
      const { id } = await suite.endpoint()
      const ids = await deadLetters(suite, 4, id)
      await create(suite)
      const held = await claimOne(suite)
      await suite.store.advanceBulkReplay({ ...stepOf(held), limit: 1 })
      await suite.deadLetter(FIRST_NODE, id, NOW)
      await suite.store.discardDeadLetter({ scope: LIVE, deliveryId: ids[1] as string, note: null, now: NOW })
      const { eventPosition } = await suite.row(ids[2] as string)
      const byHand = { eventPosition, target: { kind: 'all' as const }, newDeliveryId: newId('delivery'), now: NOW }
      await suite.store.replayDeliveries(byHand)
      await suite.deadLetter(FIRST_NODE, id, NOW)
      const [late] = await deadLetters(suite, 1, id)
      const { position } = await suite.row(ids[3] as string)
      await suite.store.cancelBulkReplay({ scope: LIVE, replayId: held.row.id, now: NOW })
      await create(suite, { upTo: position })
      const again = await claimOne(suite)
      expect(await suite.store.advanceBulkReplay(stepOf(again))).toMatchObject({
        replayed: 1,
        row: { status: 'completed', counts: { skipped: { policy_changed: 0 } } },
      })
      expect(await suite.row(ids[3] as string)).toMatchObject({ status: 'pending' })
      for (const deliveryId of [...ids.slice(0, 3), late as string]) {
        expect(await suite.row(deliveryId)).toMatchObject({ status: 'dead_lettered' })
      }
    })

    it('reopen what was delivered, cancelled or has expired, where they are asked for', async () => {
      const one = await suite.delivery()
      await suite.record(FIRST_NODE, attemptRecord(await suite.claimOne(FIRST_NODE, one.endpointId)), T0)
      const two = await suite.delivery()
      await suite.store.cancelDelivery({ scope: LIVE, deliveryId: two.deliveryId, now: T0 })
      const [dead] = await deadLetters(suite, 1)
      await create(suite, { filter: { statuses: ['delivered', 'cancelled', 'expired'] } })
      const held = await claimOne(suite)
      expect(await suite.store.advanceBulkReplay(stepOf(held))).toMatchObject({ replayed: 2 })
      expect(await suite.row(dead as string)).toMatchObject({ status: 'dead_lettered' })
      const claim = await suite.claimOne(FIRST_NODE, one.endpointId, NOW)
      expect(claim).toMatchObject({ number: 2, cycleStart: 2, trigger: 'manual' })
    })

    it('stay in their tenant', async () => {
      const { id } = await suite.endpoint({ tenantId: '*' })
      const tenants = ['acme', 'other', 'acme']
      const ids = []
      for (const tenantId of tenants) {
        ids.push((await suite.delivery({ endpointId: id, item: { tenantId } })).deliveryId)
        await suite.deadLetter(FIRST_NODE, id)
      }
      await create(suite, { tenantId: 'acme' })
      const held = await claimOne(suite)
      expect(await suite.store.advanceBulkReplay({ ...stepOf(held), look: 1 })).toMatchObject({ replayed: 1 })
      expect(await suite.store.advanceBulkReplay(stepOf(held))).toMatchObject({ replayed: 1 })
      expect(await suite.row(ids[1] as string)).toMatchObject({ status: 'dead_lettered' })
    })
  })
}

function obstacles(suite: StoreSuite): void {
  describe('bulk replays: obstacles', () => {
    it('skip what cannot be sent any more, say why, and change nothing about it', async () => {
      const wide = await suite.endpoint({ dataClasses: ['public', 'summary', 'personal'] })
      await suite.acceptOne(acceptItem({ targets: [target(wide.id)], classes: 8 }))
      await suite.deadLetter(FIRST_NODE, wide.id)
      await suite.grant(wide.id, ['public', 'summary'])
      const erased = await suite.delivery()
      await suite.deadLetter(FIRST_NODE, erased.endpointId)
      await suite.store.eraseEvent({ eventPosition: erased.event.position, now: T0 })
      const gone = await suite.endpoint()
      await deadLetters(suite, 1, gone.id)
      await suite.store.changeEndpoint({ scope: LIVE, endpointId: gone.id, change: { kind: 'delete' }, now: T0 })
      await deadLetters(suite, 1)
      await create(suite)
      const step = await suite.store.advanceBulkReplay({ ...stepOf(await claimOne(suite)), limit: 1 })
      const skipped = { policy_changed: 1, payload_gone: 1, endpoint_deleted: 1, already_there: 0 }
      expect(step).toMatchObject({ replayed: 1, row: { status: 'completed', counts: { replayed: 1, skipped } } })
      expect(await suite.row(erased.deliveryId)).toMatchObject({ status: 'dead_lettered' })
    })
  })
}

function toEndpoints(suite: StoreSuite): void {
  describe('bulk replays to an endpoint made later', () => {
    async function prepare(upTo = 1e9) {
      const had = await suite.delivery()
      const other = await suite.acceptOne(acceptItem())
      const later = await suite.endpoint()
      await create(suite, { toEndpointId: later.id, upTo })
      const held = await claimOne(suite)
      const step = { replay: held.row.position, fence: held.fence, now: NOW, from: 0, to: null as number | null }
      const item = (eventPosition: number, body = UNCUT) => ({ eventPosition, deliveryId: newId('delivery'), body })
      return { had, other, later, held, step, item, configVersion: await suite.configVersion() }
    }

    it('make deliveries in rising position, with the bodies they are given, once', async () => {
      const { had, other, later, step, item, configVersion } = await prepare()
      const items = [item(had.event.position, { bytes: bytes('cut'), classes: 0 }), item(other.position)]
      const to = other.position
      const made = await suite.store.deliverBulkReplay({ ...step, to, items, configVersion })
      expect(made).toMatchObject({ replayed: 2, endpointIds: [later.id], row: { status: 'running', cursor: to } })
      const [first, second] = await Promise.all(items.map(({ deliveryId }) => suite.row(deliveryId)))
      expect(first).toMatchObject({ status: 'pending', endpointId: later.id, nextAttemptAt: NOW, attemptCount: 0 })
      expect(second?.position).toBeGreaterThan(first?.position as number)
      const claims = await suite.claim(FIRST_NODE, later.id, { now: NOW })
      expect(claims.map(({ trigger, position }) => [trigger, position])).toEqual([
        ['manual', first?.position],
        ['manual', second?.position],
      ])
      expect(text(claims[0]?.body ?? null)).toBe('cut')
      const uncut = await suite.store.readBody({ eventPosition: other.position, endpointId: null })
      expect(text(claims[1]?.body ?? null)).toBe(text(uncut))
      // The answer was lost: the same step again does nothing.
      expect(await suite.store.deliverBulkReplay({ ...step, to, items, configVersion })).toBeNull()
      const again = { ...step, from: to, items: [item(other.position)], configVersion }
      expect(await suite.store.deliverBulkReplay(again)).toMatchObject({
        replayed: 0,
        row: { status: 'completed', counts: { replayed: 2, skipped: { already_there: 1 } } },
      })
    })

    it('skip what is gone or beyond the grants, and go by the present configuration', async () => {
      const { had, other, later, step, item, configVersion } = await prepare()
      await suite.store.eraseEvent({ eventPosition: other.position, now: T0 })
      const items = [item(had.event.position, { bytes: bytes('x'), classes: 8 }), item(other.position)]
      const stale = { ...step, items, configVersion: configVersion - 1 }
      expect(await suite.store.deliverBulkReplay(stale)).toBe('stale')
      const done = await suite.store.deliverBulkReplay({ ...step, items, configVersion })
      const skipped = { policy_changed: 1, payload_gone: 1 }
      expect(done).toMatchObject({ replayed: 0, row: { status: 'completed', counts: { skipped } } })
      expect(await suite.claim(FIRST_NODE, later.id, { now: NOW })).toEqual([])
    })

    it('skip everything where the endpoint has been deleted', async () => {
      const { had, later, step, item } = await prepare()
      await suite.store.changeEndpoint({ scope: LIVE, endpointId: later.id, change: { kind: 'delete' }, now: T0 })
      const input = { ...step, items: [item(had.event.position)], configVersion: await suite.configVersion() }
      expect(await suite.store.deliverBulkReplay(input)).toMatchObject({
        replayed: 0,
        row: { counts: { skipped: { endpoint_deleted: 1 } } },
      })
    })
  })
}

function nodes(suite: StoreSuite): void {
  describe('bulk replays: nodes', () => {
    it('stay with their node, and go to another one when it has died; the dead one is fenced off', async () => {
      await deadLetters(suite, 2)
      await create(suite)
      const held = await claimOne(suite)
      expect(await claimOne(suite)).toEqual(held)
      await suite.store.advanceBulkReplay({ ...stepOf(held), limit: 1 })
      if (suite.capabilities.leases) {
        await suite.join('node-b')
        expect(await suite.store.claimBulkReplays({ nodeId: 'node-b', limit: 9 })).toEqual([])
      }
      await suite.crashAll('node-b')
      const taken = await claimOne(suite, 'node-b')
      expect(taken.fence).toBeGreaterThan(held.fence)
      expect(taken.row).toMatchObject({ id: held.row.id, counts: { replayed: 1 } })
      expect(await suite.store.advanceBulkReplay(stepOf(held))).toBeNull()
      expect(await suite.store.advanceBulkReplay(stepOf(taken))).toMatchObject({ replayed: 1 })
    })

    it('are free at once when their node has left', async () => {
      await create(suite)
      const held = await claimOne(suite)
      await suite.store.leaveNode({ nodeId: FIRST_NODE, highWater: 0 })
      await suite.join('node-b')
      expect((await claimOne(suite, 'node-b')).row.id).toBe(held.row.id)
    })

    it('are taken oldest first, no more than a node wants', async () => {
      const rows = [await create(suite), await create(suite), await create(suite)]
      const held = await suite.store.claimBulkReplays({ nodeId: FIRST_NODE, limit: 2 })
      expect(held.map(({ row }) => row.id)).toEqual(rows.slice(0, 2).map(({ id }) => id))
    })
  })
}

function afterwards(suite: StoreSuite): void {
  describe('bulk replays: what came of it', () => {
    it('is counted as deliveries end, a bounded piece at a time, each once', async () => {
      const { id } = await suite.endpoint()
      const ids = await deadLetters(suite, 4, id)
      const { id: replayId } = await create(suite)
      await suite.store.advanceBulkReplay(stepOf(await claimOne(suite)))
      const outcomes = async () => (await suite.store.findBulkReplay({ scope: LIVE, replayId }))?.counts.outcomes
      const settleAll = async () => {
        let steps = 0
        for (let after = null; ; steps++) {
          const { next } = await suite.store.settleBulkReplays({ after, limit: 2 })
          if (next === null) return steps
          after = next as never
        }
      }
      expect(await settleAll()).toBe(2)
      expect(await outcomes()).toEqual({ dead_lettered: 0, delivered: 0, cancelled: 0, expired: 0, removed: 0 })
      const [first] = await suite.claim(FIRST_NODE, id, { now: NOW, limit: 1 })
      if (first === undefined) throw new Error('nothing is due')
      await suite.record(FIRST_NODE, attemptRecord(first), NOW)
      await suite.store.cancelDelivery({ scope: LIVE, deliveryId: ids[3] as string, now: NOW })
      await settleAll()
      const counted = { dead_lettered: 0, delivered: 1, cancelled: 1, expired: 0, removed: 0 }
      expect(await outcomes()).toEqual(counted)
      await settleAll()
      expect(await outcomes()).toEqual(counted)
      // Removed before anybody looked.
      await suite.store.cancelDelivery({ scope: LIVE, deliveryId: ids[2] as string, now: NOW })
      await suite.store.cancelDelivery({ scope: LIVE, deliveryId: ids[1] as string, now: NOW })
      const input = { what: 'events', mode: 'live', before: NOW, now: NOW + MINUTE, limit: 99, again: null } as const
      await suite.store.prune(input)
      expect(await suite.store.pruneBulkReplays({ mode: 'live', endedBefore: NOW + 1, limit: 9 })).toBe(0)
      await settleAll()
      expect(await outcomes()).toEqual({ ...counted, removed: 2 })
      expect(await suite.store.pruneBulkReplays({ mode: 'live', endedBefore: NOW, limit: 9 })).toBe(0)
      expect(await suite.store.pruneBulkReplays({ mode: 'test', endedBefore: NOW + 1, limit: 9 })).toBe(0)
      expect(await suite.store.pruneBulkReplays({ mode: 'live', endedBefore: NOW + 1, limit: 9 })).toBe(1)
      expect(await outcomes()).toBeUndefined()
    })

    it('is kept when the store is opened again', async (context) => {
      await deadLetters(suite, 1)
      const { id: replayId } = await create(suite)
      await suite.store.advanceBulkReplay(stepOf(await claimOne(suite)))
      const before = await suite.store.findBulkReplay({ scope: LIVE, replayId })
      if (!(await suite.reopen())) context.skip('this store is in memory')
      expect(await suite.store.findBulkReplay({ scope: LIVE, replayId })).toEqual(before)
    })
  })
}
