import { describe, expect, it } from 'vitest'
import type { Claim } from '../rows.ts'
import { attemptRecord, failedRecord, LIVE, MINUTE, T0 } from './builders.ts'
import { FIRST_NODE, type OneDelivery, type StoreSuite } from './suite.ts'

export function rescueTests(suite: StoreSuite): void {
  afterCrash(suite)
  suspects(suite)
  quarantine(suite)
  caps(suite)
  leaving(suite)
}

function afterCrash(suite: StoreSuite): void {
  describe('rescues: after a crash', () => {
    it('makes what was in flight pending again, with the attempt on record as unknown', async () => {
      const { endpointId, deliveryId, position } = await suite.delivery()
      const claim = await suite.claimOne(FIRST_NODE, endpointId, T0 + 1)
      await suite.crashAll('node-b')
      const rescued = await suite.rescueAll('node-b', { now: T0 + 500 })
      expect(rescued).toEqual({ rescued: [{ position, endpointId }], ended: 0 })
      expect(await suite.row(deliveryId)).toMatchObject({
        status: 'pending',
        attemptCount: 1,
        nextAttemptAt: T0 + 500,
        lastOutcome: 'unknown',
      })
      expect(await suite.attempts(deliveryId)).toMatchObject([
        { number: 1, startedAt: T0 + 1, outcome: 'unknown', durationMs: null, statusCode: null, excerpt: null },
      ])
      expect(await suite.record(FIRST_NODE, attemptRecord(claim))).toBe('stale')
      expect(await suite.rescueAll('node-b')).toEqual({ rescued: [], ended: 0 })
    })

    it('rescues grants like claims, and nothing that waits or has ended', async () => {
      const granted = await suite.delivery({ grant: true })
      const done = await suite.delivery()
      await suite.record(FIRST_NODE, attemptRecord(await suite.claimOne(FIRST_NODE, done.endpointId)))
      await suite.delivery()
      await suite.crashAll('node-b')
      const { rescued } = await suite.rescueAll('node-b')
      expect(rescued.map(({ position }) => position)).toEqual([granted.position])
    })

    it('keeps a delivery cancelled that was cancelled in flight, and closes its attempt', async () => {
      const { endpointId, deliveryId } = await suite.delivery()
      await suite.claimOne(FIRST_NODE, endpointId)
      await suite.store.cancelDelivery({ scope: LIVE, deliveryId, now: T0 })
      await suite.crashAll('node-b')
      expect((await suite.rescueAll('node-b')).rescued).toEqual([])
      const kept = { status: 'cancelled', reason: 'requested', attemptCount: 1, nextAttemptAt: null }
      expect(await suite.row(deliveryId)).toMatchObject(kept)
      expect(await suite.attempts(deliveryId)).toMatchObject([{ outcome: 'unknown' }])
    })

    it('takes at most the limit a call, until nothing is left', async () => {
      const made = await inFlight(suite, FIRST_NODE, 5)
      await suite.crashAll('node-b')
      const { rescued } = await suite.rescueAll('node-b', { limit: 2 })
      const positions = rescued.map(({ position }) => position)
      expect(positions.toSorted((a, b) => a - b)).toEqual(made.map(({ position }) => position))
    })

    it('rescues each delivery once when two nodes rescue at once', async () => {
      await inFlight(suite, FIRST_NODE, 6)
      await suite.crashAll('node-b')
      const results = await Promise.all(Array.from({ length: 4 }, () => suite.rescueAll('node-b', { limit: 2 })))
      const positions = results.flatMap(({ rescued }) => rescued.map(({ position }) => position))
      expect(positions).toHaveLength(6)
      expect(new Set(positions).size).toBe(6)
    })

    it('rescues what an id held before it joined again: the process that held it is gone', async () => {
      const { endpointId, deliveryId } = await suite.delivery()
      const claim = await suite.claimOne(FIRST_NODE, endpointId)
      await suite.join(FIRST_NODE)
      expect(await suite.store.findClaims({ nodeId: FIRST_NODE, limit: 10 })).toEqual([])
      expect(await suite.record(FIRST_NODE, attemptRecord(claim))).toBe('stale')
      expect((await suite.rescueAll(FIRST_NODE)).rescued).toHaveLength(1)
      expect(await suite.attempts(deliveryId)).toMatchObject([{ outcome: 'unknown' }])
    })
  })
}

function suspects(suite: StoreSuite): void {
  describe('rescues: suspects', () => {
    it('keeps suspects out of the usual way until an outcome is on record', async () => {
      const { endpointId, position } = await suite.delivery()
      await suite.claimOne(FIRST_NODE, endpointId)
      await suite.crashAll('node-b')
      await suite.rescueAll('node-b', { now: T0 + 10 })
      expect(await suite.claim('node-b', endpointId, { now: T0 + MINUTE })).toHaveLength(0)
      expect(await suite.store.findDueEndpoints({ after: null, limit: 10 })).toEqual({ due: [], suspects: true })
      expect(await suite.claimSuspect('node-b', T0 + 9)).toBeNull()
      const claim = (await suite.claimSuspect('node-b', T0 + 10)) as Claim
      expect(claim).toMatchObject({ position, number: 2, suspect: true, crashesAlone: 1, trigger: 'scheduled' })
      expect(await suite.claimSuspect('node-b')).toBeNull()
      expect(await suite.record('node-b', failedRecord(claim, T0 + 20))).toBe('recorded')
      expect(await suite.store.findDueEndpoints({ after: null, limit: 10 })).toMatchObject({ suspects: false })
      const next = await suite.claimOne('node-b', endpointId, T0 + 20)
      expect(next).toMatchObject({ number: 3, suspect: false, crashesAlone: 0 })
    })

    it('stays a suspect when its claim is released', async () => {
      const { endpointId } = await suite.delivery()
      await suite.claimOne(FIRST_NODE, endpointId)
      await suite.crashAll('node-b')
      await suite.rescueAll('node-b')
      const claim = (await suite.claimSuspect('node-b')) as Claim
      await suite.store.releaseClaims({ nodeId: 'node-b', now: T0, claims: [{ ...claim, dueAt: T0 }] })
      expect(await suite.claim('node-b', endpointId, { now: T0 + MINUTE })).toHaveLength(0)
      expect(await suite.claimSuspect('node-b')).toMatchObject({ number: 2, suspect: true, crashesAlone: 1 })
    })

    it('gives suspects one by one, those first that were alone at most crashes', async () => {
      const [some] = await inFlight(suite, FIRST_NODE, 2)
      await suite.crashAll('node-b')
      const alone = await suite.delivery()
      await suite.claimOne('node-b', alone.endpointId)
      await suite.rescueAll('node-b', { now: T0 + 10 })
      await suite.crashAll('node-c')
      await suite.rescueAll('node-c', { now: T0 + 20 })
      expect(await suite.claimSuspect('node-c')).toMatchObject({ position: alone.position, crashesAlone: 1 })
      expect(await suite.claimSuspect('node-c')).toMatchObject({ position: some?.position, crashesAlone: 0 })
    })

    it('gives no suspect of an endpoint that may not send, and ends one past its deadline', async () => {
      const paused = await suite.delivery()
      const late = await suite.delivery({ item: { deadline: T0 + 100 } })
      const good = await suite.delivery()
      for (const { endpointId } of [paused, late, good]) await suite.claimOne(FIRST_NODE, endpointId)
      await suite.crashAll('node-b')
      await suite.rescueAll('node-b', { now: T0 + 10 })
      const change = { kind: 'status', status: 'paused', reason: null } as const
      await suite.store.changeEndpoint({ scope: LIVE, endpointId: paused.endpointId, change, now: T0 })
      expect(await suite.claimSuspect('node-b', T0 + 101)).toMatchObject({ position: good.position })
      expect(await suite.claimSuspect('node-b', T0 + 101)).toBeNull()
      expect(await suite.row(late.deliveryId)).toMatchObject({ status: 'expired', reason: 'deadline_passed' })
      expect(await suite.row(paused.deliveryId)).toMatchObject({ status: 'pending' })
    })
  })
}

function quarantine(suite: StoreSuite): void {
  describe('rescues: quarantine (G19)', () => {
    it('counts a crash against a delivery only when it was alone in flight', async () => {
      await inFlight(suite, FIRST_NODE, 3)
      await suite.crashAll('node-b')
      // One by one: the last of them must not pass for having been alone.
      await suite.rescueAll('node-b', { limit: 1 })
      for (let count = 0; count < 3; count++) {
        expect(await suite.claimSuspect('node-b')).toMatchObject({ suspect: true, crashesAlone: 0 })
      }
    })

    it('quarantines at the third crash alone', async () => {
      const { deliveryId, endpointId } = await crashAlone(suite, 3)
      expect(await suite.row(deliveryId)).toMatchObject({
        status: 'dead_lettered',
        reason: 'quarantined',
        attemptCount: 3,
        nextAttemptAt: null,
      })
      expect((await suite.attempts(deliveryId)).map(({ outcome }) => outcome)).toEqual(Array(3).fill('unknown'))
      expect(await suite.claim('node-3', endpointId)).toHaveLength(0)
      expect(await suite.claimSuspect('node-3')).toBeNull()
    })

    it('starts the count again once an outcome is on record', async () => {
      const { deliveryId, endpointId } = await crashAlone(suite, 2)
      const claim = (await suite.claimSuspect('node-2')) as Claim
      expect(claim).toMatchObject({ crashesAlone: 2 })
      await suite.record('node-2', failedRecord(claim, T0 + MINUTE))
      await suite.claimOne('node-2', endpointId, T0 + MINUTE)
      await suite.crashAll('node-3')
      await suite.rescueAll('node-3')
      expect(await suite.row(deliveryId)).toMatchObject({ status: 'dead_lettered', reason: 'attempts_exhausted' })
    })

    it('keeps a replayed quarantined delivery a suspect, and counts its crashes anew', async () => {
      const { event, deliveryId, endpointId } = await crashAlone(suite, 3)
      const target = { kind: 'delivery', deliveryId } as const
      const ask = { eventPosition: event.position, target, newDeliveryId: 'dlv_unused', now: T0 + MINUTE }
      expect(await suite.store.replayDeliveries(ask)).toMatchObject([{ status: 'pending' }])
      expect(await suite.claim('node-3', endpointId, { now: T0 + MINUTE })).toHaveLength(0)
      expect(await suite.claimSuspect('node-3')).toMatchObject({ number: 4, trigger: 'manual', crashesAlone: 0 })
    })
  })
}

function caps(suite: StoreSuite): void {
  describe('rescues: the cap of attempts (details 2)', () => {
    it('never dead-letters by the cap while all attempts are unknown', async () => {
      const endpoint = await suite.endpoint({ retrySchedule: [] })
      const [one] = await inFlight(suite, FIRST_NODE, 2, endpoint.id)
      await suite.crashAll('node-b')
      expect(await suite.rescueAll('node-b')).toMatchObject({ ended: 0 })
      expect(await suite.row(one?.deliveryId as string)).toMatchObject({ status: 'pending', attemptCount: 1 })
    })

    it('dead-letters by the cap when an attempt of this cycle has a known outcome', async () => {
      const endpoint = await suite.endpoint({ retrySchedule: [1000] })
      const { deliveryId } = await suite.delivery({ endpointId: endpoint.id })
      await suite.record(FIRST_NODE, failedRecord(await suite.claimOne(FIRST_NODE, endpoint.id), T0 + 1000))
      await suite.claimOne(FIRST_NODE, endpoint.id, T0 + 1000)
      await suite.crashAll('node-b')
      expect(await suite.rescueAll('node-b')).toEqual({ rescued: [], ended: 1 })
      const ended = { status: 'dead_lettered', reason: 'attempts_exhausted', attemptCount: 2, lastOutcome: 'unknown' }
      expect(await suite.row(deliveryId)).toMatchObject(ended)
    })

    it('counts only the attempts since the latest replay', async () => {
      const endpoint = await suite.endpoint({ retrySchedule: [] })
      const { event, deliveryId } = await suite.delivery({ endpointId: endpoint.id })
      await suite.deadLetter(FIRST_NODE, endpoint.id)
      const target = { kind: 'all' } as const
      const ask = { eventPosition: event.position, target, newDeliveryId: 'dlv_unused', now: T0 + 1 }
      await suite.store.replayDeliveries(ask)
      await suite.claimOne(FIRST_NODE, endpoint.id, T0 + 1)
      await suite.crashAll('node-b')
      expect(await suite.rescueAll('node-b')).toMatchObject({ ended: 0 })
      expect(await suite.row(deliveryId)).toMatchObject({ status: 'pending', attemptCount: 2 })
    })
  })
}

function leaving(suite: StoreSuite): void {
  describe('rescues: after a node has left', () => {
    it('rescues what it left behind; that was no crash and makes no suspect', async () => {
      const { endpointId, deliveryId } = await suite.delivery()
      await suite.claimOne(FIRST_NODE, endpointId)
      await suite.store.leaveNode({ nodeId: FIRST_NODE, highWater: T0 })
      await suite.join('node-b')
      expect((await suite.rescueAll('node-b', { now: T0 + 10 })).rescued).toHaveLength(1)
      expect(await suite.attempts(deliveryId)).toMatchObject([{ outcome: 'unknown' }])
      const claim = await suite.claimOne('node-b', endpointId, T0 + 10)
      expect(claim).toMatchObject({ number: 2, suspect: false, crashesAlone: 0 })
    })
  })
}

/** So many deliveries, each claimed by the node, to one endpoint. */
async function inFlight(suite: StoreSuite, nodeId: string, count: number, endpointId?: string): Promise<OneDelivery[]> {
  const id = endpointId ?? (await suite.endpoint()).id
  const made: OneDelivery[] = []
  for (let index = 0; index < count; index++) made.push(await suite.delivery({ endpointId: id, nodeId }))
  expect(await suite.claim(nodeId, id)).toHaveLength(count)
  return made
}

/** A delivery with which `node-1`, `node-2`, … began after it had been alone in flight at the crash before. */
async function crashAlone(suite: StoreSuite, times: number): Promise<OneDelivery> {
  const one = await suite.delivery({ endpointId: (await suite.endpoint({ retrySchedule: [1000, 1000, 1000] })).id })
  await suite.claimOne(FIRST_NODE, one.endpointId)
  for (let time = 1; time <= times; time++) {
    await suite.crashAll(`node-${time}`)
    await suite.rescueAll(`node-${time}`, { now: T0 + time })
    if (time < times) expect(await suite.claimSuspect(`node-${time}`)).toMatchObject({ crashesAlone: time })
  }
  return one
}
