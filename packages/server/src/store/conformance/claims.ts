import { describe, expect, it } from 'vitest'
import { acceptItem, failedRecord, LIVE, MINUTE, T0, target } from './builders.ts'
import { FIRST_NODE, type StoreSuite } from './suite.ts'

export function claimTests(suite: StoreSuite): void {
  claiming(suite)
  whatIsDue(suite)
  endpointsWithWork(suite)
  whoMaySend(suite)
  deadlines(suite)
  atTheSameTime(suite)
}

function claiming(suite: StoreSuite): void {
  describe('claims: what a claim carries', () => {
    it('claims a due delivery with everything an attempt needs, the attempt on record', async () => {
      const { item, endpointId, deliveryId, position } = await suite.delivery({ item: { deadline: T0 + MINUTE } })
      const claim = await suite.claimOne(FIRST_NODE, endpointId, T0 + 10)
      expect(claim).toEqual({
        position,
        number: 1,
        deliveryId,
        endpointId,
        tenantId: 'default',
        mode: 'live',
        eventId: item.eventId,
        eventType: item.type,
        runId: 'run-1',
        trigger: 'scheduled',
        cycleStart: 1,
        deadline: T0 + MINUTE,
        classes: 0,
        body: expect.any(Uint8Array),
        suspect: false,
        crashesAlone: 0,
      })
      // Nothing else tells an attempt in flight from one that waits: it reads `pending` without a next attempt.
      expect(await suite.row(deliveryId)).toMatchObject({
        status: 'pending',
        attemptCount: 1,
        nextAttemptAt: null,
        lastOutcome: null,
        updatedAt: T0 + 10,
      })
      expect(await suite.attempts(deliveryId)).toEqual([
        {
          number: 1,
          trigger: 'scheduled',
          startedAt: T0 + 10,
          durationMs: null,
          outcome: null,
          statusCode: null,
          requestHeaders: [],
          responseHeaders: {},
          excerpt: null,
          truncated: false,
          phases: { dns: null, connect: null, tls: null, wait: null },
        },
      ])
    })
  })
}

function whatIsDue(suite: StoreSuite): void {
  describe('claims: what is due', () => {
    it('claims oldest due first, at most the limit of each endpoint', async () => {
      const [one, two] = [await suite.endpoint(), await suite.endpoint()]
      for (const at of [T0 + 3, T0 + 1, T0 + 2, T0 + 1]) await suite.delivery({ endpointId: one.id, at })
      for (const at of [T0 + 5, T0 + 4]) await suite.delivery({ endpointId: two.id, at })
      const requests = [
        { endpointId: one.id, limit: 3 },
        { endpointId: two.id, limit: 1 },
      ]
      const { claims, nextDue } = await suite.store.claimDue({ nodeId: FIRST_NODE, now: T0 + 9, requests })
      const times = async (endpointId: string) => {
        const mine = claims.filter((claim) => claim.endpointId === endpointId)
        return Promise.all(mine.map(async (claim) => (await suite.row(claim.deliveryId)).createdAt - T0))
      }
      expect(await times(one.id)).toEqual([1, 1, 2])
      expect(await times(two.id)).toEqual([4])
      const [first, second] = claims
      expect(first?.position).toBeLessThan(second?.position as number)
      expect(nextDue).toEqual([
        { endpointId: one.id, nextDue: T0 + 3 },
        { endpointId: two.id, nextDue: T0 + 5 },
      ])
    })

    it('leaves what is not due, and says when it will be', async () => {
      const { endpointId } = await suite.delivery({ at: T0 + 1000 })
      const ask = { nodeId: FIRST_NODE, requests: [{ endpointId, limit: 9 }] }
      const early = await suite.store.claimDue({ ...ask, now: T0 + 999 })
      expect(early).toMatchObject({ claims: [], nextDue: [{ endpointId, nextDue: T0 + 1000 }] })
      const late = await suite.store.claimDue({ ...ask, now: T0 + 1000 })
      expect(late.claims).toHaveLength(1)
      expect(late.nextDue).toEqual([{ endpointId, nextDue: null }])
      expect(late.configVersion).toBe(await suite.configVersion())
    })

    it('claims only of the endpoints asked for', async () => {
      const [wanted, other] = [await suite.delivery(), await suite.delivery()]
      const claims = await suite.claim(FIRST_NODE, wanted.endpointId)
      expect(claims.map((claim) => claim.position)).toEqual([wanted.position])
      expect(await suite.claim(FIRST_NODE, other.endpointId)).toHaveLength(1)
      expect(await suite.claim(FIRST_NODE, 'ep_nobody')).toHaveLength(0)
    })

    it('counts attempts up over retries', async () => {
      const { endpointId, deliveryId } = await suite.delivery()
      for (const number of [1, 2, 3]) {
        const claim = await suite.claimOne(FIRST_NODE, endpointId, T0 + number * 100)
        expect(claim).toMatchObject({ number, cycleStart: 1, trigger: 'scheduled' })
        await suite.record(FIRST_NODE, failedRecord(claim, T0 + number * 100 + 50), T0 + number * 100 + 10)
      }
      expect((await suite.attempts(deliveryId)).map((attempt) => attempt.number)).toEqual([1, 2, 3])
    })
  })
}

function endpointsWithWork(suite: StoreSuite): void {
  describe('claims: endpoints with work', () => {
    it('reports endpoints that have something waiting, also in the future, not what is in flight', async () => {
      const later = await suite.delivery({ at: T0 + MINUTE })
      await suite.delivery({ endpointId: later.endpointId, at: T0 + 2 * MINUTE })
      const inFlight = await suite.delivery({ at: T0 })
      await suite.claimOne(FIRST_NODE, inFlight.endpointId)
      await suite.delivery({ grant: true })
      await suite.endpoint()
      expect(await suite.dueEndpoints()).toEqual([{ endpointId: later.endpointId, nextDue: T0 + MINUTE }])
    })

    it('pages, each endpoint once', async () => {
      const made: string[] = []
      for (let count = 0; count < 5; count++) made.push((await suite.delivery()).endpointId)
      const seen: string[] = []
      for (let after: string | null = null; seen.length < 10;) {
        const { due } = await suite.store.findDueEndpoints({ after, limit: 2 })
        expect(due.length).toBeLessThanOrEqual(2)
        if (due.length === 0) break
        seen.push(...due.map((entry) => entry.endpointId))
        after = seen.at(-1) ?? null
      }
      expect(seen.toSorted()).toEqual(made.toSorted())
    })
  })
}

function whoMaySend(suite: StoreSuite): void {
  describe('claims: endpoints that may not send', () => {
    for (const status of ['paused', 'disabled'] as const) {
      it(`leaves the deliveries of a ${status} endpoint until it is enabled again`, async () => {
        const { endpointId } = await suite.delivery()
        const change = { kind: 'status', status, reason: null } as const
        await suite.store.changeEndpoint({ scope: LIVE, endpointId, change, now: T0 })
        const requests = [{ endpointId, limit: 9 }]
        const answer = await suite.store.claimDue({ nodeId: FIRST_NODE, now: T0 + 1, requests })
        expect(answer).toMatchObject({ claims: [], nextDue: [{ endpointId, nextDue: null }] })
        expect(await suite.dueEndpoints()).toEqual([])
        const enable = { kind: 'status', status: 'enabled', reason: null } as const
        await suite.store.changeEndpoint({ scope: LIVE, endpointId, change: enable, now: T0 + 2 })
        expect(await suite.dueEndpoints()).toHaveLength(1)
        expect(await suite.claim(FIRST_NODE, endpointId)).toHaveLength(1)
      })
    }

    it('leaves the deliveries of a deleted endpoint', async () => {
      const { endpointId } = await suite.delivery()
      await suite.store.changeEndpoint({ scope: LIVE, endpointId, change: { kind: 'delete' }, now: T0 })
      expect(await suite.claim(FIRST_NODE, endpointId)).toHaveLength(0)
      expect(await suite.dueEndpoints()).toEqual([])
    })
  })
}

function deadlines(suite: StoreSuite): void {
  describe('claims: deadlines', () => {
    it('ends a delivery past its deadline instead of claiming it, and goes on with the next', async () => {
      const { endpointId, deliveryId } = await suite.delivery({ item: { deadline: T0 + 10 } })
      const open = await suite.delivery({ endpointId, at: T0 + 5, item: { deadline: T0 + MINUTE } })
      const claims = await suite.claim(FIRST_NODE, endpointId, { now: T0 + 11 })
      expect(claims.map((claim) => claim.position)).toEqual([open.position])
      expect(await suite.row(deliveryId)).toMatchObject({
        status: 'expired',
        reason: 'deadline_passed',
        attemptCount: 0,
        nextAttemptAt: null,
        updatedAt: T0 + 11,
      })
      expect(await suite.attempts(deliveryId)).toEqual([])
    })

    it('claims a delivery before its deadline', async () => {
      const { endpointId } = await suite.delivery({ item: { deadline: T0 + 10 } })
      expect(await suite.claim(FIRST_NODE, endpointId, { now: T0 + 9 })).toHaveLength(1)
    })
  })
}

function atTheSameTime(suite: StoreSuite): void {
  describe('claims: several at the same time', () => {
    it('never gives a delivery in flight to a second claim', async () => {
      const { endpointId } = await suite.delivery()
      expect(await suite.claim(FIRST_NODE, endpointId)).toHaveLength(1)
      expect(await suite.claim(FIRST_NODE, endpointId, { now: T0 + 99 * MINUTE })).toHaveLength(0)
    })

    it('shares deliveries out between two nodes that claim at once', async () => {
      await suite.join('node-b')
      const { id: endpointId } = await suite.endpoint()
      const items = Array.from({ length: 30 }, () => acceptItem({ targets: [target(endpointId)] }))
      await suite.accept(items)
      const nodes = Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? FIRST_NODE : 'node-b'))
      const answers = await Promise.all(nodes.map((nodeId) => suite.claim(nodeId, endpointId, { limit: 4 })))
      const positions = answers.flat().map((claim) => claim.position)
      expect(positions).toHaveLength(30)
      expect(new Set(positions).size).toBe(30)
    })

    it('says what a node holds, so that it can give back what it never heard of', async () => {
      await suite.join('node-b')
      const claimed = await suite.delivery()
      await suite.claimOne(FIRST_NODE, claimed.endpointId)
      const granted = await suite.delivery({ grant: true })
      const done = await suite.delivery()
      const claim = await suite.claimOne(FIRST_NODE, done.endpointId)
      await suite.record(FIRST_NODE, failedRecord(claim, T0 + MINUTE))
      const others = await suite.delivery()
      await suite.claimOne('node-b', others.endpointId)
      const held = await suite.store.findClaims({ nodeId: FIRST_NODE, limit: 10 })
      expect(held.toSorted((a, b) => a.position - b.position)).toEqual([
        { position: claimed.position, number: 1 },
        { position: granted.position, number: 1 },
      ])
      expect(await suite.store.findClaims({ nodeId: FIRST_NODE, limit: 1 })).toHaveLength(1)
      expect(await suite.store.findClaims({ nodeId: 'node-z', limit: 10 })).toEqual([])
    })
  })
}
