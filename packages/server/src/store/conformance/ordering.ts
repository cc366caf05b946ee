import { beforeEach, describe, expect, it } from 'vitest'
import type { Claim, EndpointPatch } from '../rows.ts'
import { acceptItem, attemptRecord, failedRecord, LIVE, MINUTE, T0, target } from './builders.ts'
import { FIRST_NODE, type StoreSuite } from './suite.ts'

const DAY = 24 * 60 * MINUTE

/** One ordered endpoint, and what its deliveries do. */
class Ordered {
  readonly #suite: StoreSuite
  endpointId = ''

  constructor(suite: StoreSuite) {
    this.#suite = suite
  }

  async make(orderingOnDeadLetter: 'skip' | 'hold' = 'skip'): Promise<void> {
    this.endpointId = (await this.#suite.endpoint({ ordering: 'run', orderingOnDeadLetter })).id
  }

  /** Accepts one event for each run named, together; the ids of their deliveries. */
  async accept(runs: (string | null)[], at = T0): Promise<string[]> {
    const targets = runs.map(() => target(this.endpointId))
    await this.#suite.accept(
      runs.map((runId, index) => acceptItem({ runId, targets: targets.slice(index, index + 1) })),
      { at },
    )
    return targets.map(({ deliveryId }) => deliveryId)
  }

  /** Everything that may start now. */
  claims(now = T0, nodeId = FIRST_NODE): Promise<Claim[]> {
    return this.#suite.claim(nodeId, this.endpointId, { now })
  }

  async due(now = T0): Promise<string[]> {
    const claims = await this.claims(now)
    const released = claims.map(({ position, number }) => ({ position, number, dueAt: now }))
    await this.#suite.store.releaseClaims({ nodeId: FIRST_NODE, now, claims: released })
    return claims.map(({ deliveryId }) => deliveryId)
  }

  async deliver(claim: Claim | undefined, now = T0): Promise<void> {
    expect(await this.#suite.record(FIRST_NODE, attemptRecord(claim as Claim), now)).toBe('recorded')
  }

  deadLetter(now = T0): Promise<Claim> {
    return this.#suite.deadLetter(FIRST_NODE, this.endpointId, now)
  }

  async patch(patch: EndpointPatch): Promise<void> {
    const change = { kind: 'patch', patch } as const
    await this.#suite.store.changeEndpoint({ scope: LIVE, endpointId: this.endpointId, change, now: T0 + 1 })
  }

  cancel(deliveryId: string | undefined): Promise<unknown> {
    return this.#suite.store.cancelDelivery({ scope: LIVE, deliveryId: deliveryId ?? '', now: T0 + 1 })
  }

  async replay(deliveryId: string | undefined, now = T0 + 1): Promise<void> {
    const { eventPosition } = await this.#suite.row(deliveryId ?? '')
    await this.#suite.store.replayDeliveries({
      ...{ eventPosition, now, newDeliveryId: 'unused' },
      target: { kind: 'delivery', deliveryId: deliveryId ?? '' },
    })
  }
}

export function orderingTests(suite: StoreSuite): void {
  const at = new Ordered(suite)
  turns(suite, at)
  ends(suite, at)
  holding(suite, at)
  changing(suite, at)
}

function turns(suite: StoreSuite, at: Ordered): void {
  describe('ordering: turns within a run (details 17)', () => {
    beforeEach(() => at.make())

    it('gives one delivery of each run its turn, and others wait behind it', async () => {
      const [a1, a2, b1, free1, free2] = await at.accept(['a', 'a', 'b', null, null])
      const [a3] = await at.accept(['a'])
      expect(new Set(await at.due())).toEqual(new Set([a1, b1, free1, free2]))
      expect(await suite.row(a2 ?? '')).toMatchObject({ status: 'pending', nextAttemptAt: null, waitsBehind: a1 })
      expect(await suite.row(a3 ?? '')).toMatchObject({ nextAttemptAt: null, waitsBehind: a1 })
      expect(await suite.row(a1 ?? '')).toMatchObject({ nextAttemptAt: T0, waitsBehind: null })
    })

    it('gives the turn on when the first is delivered, and not while it is tried again', async () => {
      const [first, second] = await at.accept(['a', 'a'])
      const [claim] = await at.claims()
      expect(await at.due()).toEqual([])
      await suite.record(FIRST_NODE, failedRecord(claim as Claim, T0 + MINUTE))
      expect(await at.due(T0 + MINUTE - 1)).toEqual([])
      const [again] = await at.claims(T0 + MINUTE)
      expect(again?.deliveryId).toBe(first)
      await at.deliver(again, T0 + MINUTE)
      expect(await at.due(T0 + MINUTE)).toEqual([second])
      expect(await suite.dueEndpoints()).toMatchObject([{ endpointId: at.endpointId }])
      expect((await suite.dueEndpoints())[0]?.nextDue).toBeLessThanOrEqual(T0 + MINUTE)
    })

    it('goes through a long run one after the other, and says when the next is due', async () => {
      const made = await at.accept(['a', 'a', 'a', 'a'])
      const seen: string[] = []
      for (let round = 0; round < 4; round++) {
        const [claim, ...others] = await at.claims()
        expect(others).toEqual([])
        seen.push(claim?.deliveryId ?? '')
        await at.deliver(claim)
      }
      expect(seen).toEqual(made)
      const { nextDue } = await suite.store.claimDue({
        ...{ nodeId: FIRST_NODE, now: T0, requests: [{ endpointId: at.endpointId, limit: 1 }] },
      })
      expect(nextDue).toEqual([{ endpointId: at.endpointId, nextDue: null }])
    })

    it('keeps tenants apart that use the same run id', async () => {
      await at.accept(['a'])
      const other = await suite.endpoint({ tenantId: '*', ordering: 'run' })
      const items = ['default', 'acme'].map((tenantId) => {
        return acceptItem({ tenantId, runId: 'a', targets: [target(other.id)] })
      })
      await suite.accept(items)
      expect(await suite.claim(FIRST_NODE, other.id)).toHaveLength(2)
    })

    it('is kept by what a crash cut off', async () => {
      const [first, second] = await at.accept(['a', 'a'])
      await at.claims()
      await suite.crashAll('node-b')
      await suite.rescueAll('node-b')
      expect(await suite.claim('node-b', at.endpointId, { now: T0 + MINUTE })).toEqual([])
      const suspect = await suite.claimSuspect('node-b')
      expect(suspect?.deliveryId).toBe(first)
      await suite.record('node-b', attemptRecord(suspect as Claim))
      const next = await suite.claim('node-b', at.endpointId, { now: T0 + MINUTE })
      expect(next.map(({ deliveryId }) => deliveryId)).toEqual([second])
    })

    it('counts what waits for its turn as pending', async () => {
      await at.accept(['a', 'a', 'a'])
      const input = { endpointId: at.endpointId, since: T0, deliveries: 10, pendingLimit: 10 }
      expect(await suite.store.readActivity(input)).toMatchObject({ pending: 3 })
    })
  })
}

function ends(suite: StoreSuite, at: Ordered): void {
  describe('ordering: every end gives the turn on', () => {
    beforeEach(() => at.make())

    it('a dead letter, unless it holds', async () => {
      const [, second] = await at.accept(['a', 'a'])
      await at.deadLetter()
      expect(await at.due()).toEqual([second])
    })

    it('one that is cancelled; of one that waits nobody takes the place', async () => {
      const [first, second, third, fourth] = await at.accept(['a', 'a', 'a', 'a'])
      await at.cancel(second)
      expect(await at.due(T0 + 1)).toEqual([first])
      await at.cancel(first)
      expect(await at.due(T0 + 1)).toEqual([third])
      await at.cancel(fourth)
      await at.deliver((await at.claims(T0 + 1))[0])
      expect(await at.due(T0 + 1)).toEqual([])
    })

    it('one that is cancelled in flight, once its attempt is over', async () => {
      const [first, second] = await at.accept(['a', 'a'])
      const [claim] = await at.claims()
      await at.cancel(first)
      expect(await at.due(T0 + 1)).toEqual([])
      await at.deliver(claim, T0 + 2)
      expect(await at.due(T0 + 2)).toEqual([second])
    })

    it('one past its deadline, whether it is found by a claim or not', async () => {
      const items = [T0 + 10, null, T0 + 20, null].map((deadline) => {
        return acceptItem({ runId: 'a', deadline, targets: [target(at.endpointId)] })
      })
      await suite.accept(items)
      const ids = items.map(({ targets }) => targets[0]?.deliveryId)
      expect(await suite.store.expireDeliveries({ now: T0 + 11, limit: 10 })).toBe(1)
      await at.deliver((await at.claims(T0 + 11))[0], T0 + 11)
      expect(await at.due(T0 + 21)).toEqual([ids[3]])
      expect((await suite.row(ids[2] ?? '')).status).toBe('expired')
    })

    it('an erased event', async () => {
      const [first, second] = await at.accept(['a', 'a'])
      const { eventPosition } = await suite.row(first ?? '')
      await suite.store.eraseEvent({ eventPosition, now: T0 + 1 })
      expect(await at.due(T0 + 1)).toEqual([second])
    })

    it('one with more in it than is granted', async () => {
      await at.patch({ dataClasses: ['public', 'summary', 'prompt'] })
      const items = [16, 0].map((classes) => acceptItem({ runId: 'a', classes, targets: [target(at.endpointId)] }))
      await suite.accept(items)
      await suite.grant(at.endpointId, [], T0 + 1)
      expect(await at.due(T0 + 1)).toEqual([items[1]?.targets[0]?.deliveryId])
    })

    it('all that waits goes with an endpoint that is deleted', async () => {
      const made = await at.accept(['a', 'a', 'a'])
      await suite.store.changeEndpoint({
        ...{ scope: LIVE, endpointId: at.endpointId, change: { kind: 'delete' }, now: T0 + 1 },
      })
      expect(await suite.store.cancelHeld({ now: T0 + 2, disabledBefore: 0, limit: 2 })).toBe(2)
      expect(await suite.store.cancelHeld({ now: T0 + 2, disabledBefore: 0, limit: 2 })).toBe(1)
      for (const id of made) expect((await suite.row(id)).status).toBe('cancelled')
    })

    it('a replay waits for its turn, before those that came later', async () => {
      const [first, second, third] = await at.accept(['a', 'a', 'a'])
      await at.deadLetter()
      await at.replay(first)
      expect(await at.due(T0 + 1)).toEqual([second])
      expect(await suite.row(first ?? '')).toMatchObject({ status: 'pending', nextAttemptAt: null })
      await at.deliver((await at.claims(T0 + 1))[0], T0 + 1)
      expect(await at.due(T0 + 1)).toEqual([first])
      await at.deliver((await at.claims(T0 + 1))[0], T0 + 1)
      expect(await at.due(T0 + 1)).toEqual([third])
    })
  })
}

function holding(suite: StoreSuite, at: Ordered): void {
  describe('ordering: a dead letter that holds its run', () => {
    beforeEach(() => at.make('hold'))

    it('holds what waits and what comes, and no other run', async () => {
      const [first, second, other] = await at.accept(['a', 'a', 'b'])
      await at.cancel(other)
      await at.deadLetter(T0 + 1)
      const [late, free] = await at.accept(['a', 'c'])
      expect(await at.due(T0 + 1)).toEqual([free])
      for (const id of [second, late]) expect(await suite.row(id ?? '')).toMatchObject({ waitsBehind: first })
    })

    it('goes on when it is replayed and delivered', async () => {
      const [first, second] = await at.accept(['a', 'a'])
      await at.deadLetter()
      await at.replay(first)
      const [claim] = await at.claims(T0 + 1)
      expect(claim?.deliveryId).toBe(first)
      expect(await at.due(T0 + 1)).toEqual([])
      await at.deliver(claim, T0 + 1)
      expect(await at.due(T0 + 1)).toEqual([second])
    })

    it('goes on when it is discarded', async () => {
      const [first, second] = await at.accept(['a', 'a'])
      await at.deadLetter()
      await suite.store.discardDeadLetter({ scope: LIVE, deliveryId: first ?? '', note: 'x', now: T0 + 1 })
      expect(await at.due(T0 + 1)).toEqual([second])
    })

    it.each([{ orderingOnDeadLetter: 'skip' } as const, { ordering: 'none' } as const])(
      'goes on with %j',
      async (patch) => {
        const [, second] = await at.accept(['a', 'a'])
        await at.deadLetter()
        await at.patch({ description: 'the same as before' })
        expect(await at.due(T0 + 1)).toEqual([])
        await at.patch(patch)
        expect(await at.due(T0 + 1)).toEqual([second])
      },
    )

    it('ends what waits behind it when it is older than events are kept', async () => {
      const [first] = await at.accept(['a'])
      const [second] = await at.accept(['a'], T0 + MINUTE)
      await at.deadLetter(T0 + MINUTE)
      const now = T0 + 30 * DAY
      const round = { mode: 'live', what: 'events', before: T0 + 1, now, limit: 100, again: null } as const
      await suite.store.prune(round)
      expect(await suite.store.findDelivery({ scope: LIVE, deliveryId: first ?? '' })).toBeNull()
      expect(await suite.row(second ?? '')).toMatchObject({ status: 'expired', reason: 'held_past_retention' })
      const [next] = await at.accept(['a'], now)
      expect(await at.due(now)).toEqual([next])
    })
  })
}

function changing(suite: StoreSuite, at: Ordered): void {
  describe('ordering: an endpoint that changes', () => {
    beforeEach(() => at.make())

    it('to unordered: what waits keeps its turns, what comes takes none', async () => {
      const [first, second] = await at.accept(['a', 'a'])
      await at.patch({ ordering: 'none' })
      const [third] = await at.accept(['a'])
      expect(await at.due(T0 + 1)).toEqual([first, third])
      const [claim] = await at.claims(T0 + 1)
      expect(claim?.deliveryId).toBe(first)
      const rest = await at.claims(T0 + 1)
      expect(rest).toEqual([])
      await at.deliver(claim, T0 + 1)
      expect(await at.due(T0 + 1)).toEqual([second])
    })

    it('to ordered: what waits takes no turns, what comes does', async () => {
      await at.patch({ ordering: 'none' })
      const before = await at.accept(['a', 'a'])
      await at.patch({ ordering: 'run' })
      const [third] = await at.accept(['a', 'a'])
      expect(new Set(await at.due(T0 + 1))).toEqual(new Set([...before, third]))
    })

    it('is enabled again after a pause with its turns as they were', async () => {
      const [first, second] = await at.accept(['a', 'a'])
      const status = (to: 'paused' | 'enabled') =>
        suite.store.changeEndpoint({
          ...{ scope: LIVE, endpointId: at.endpointId, now: T0 + 1 },
          change: { kind: 'status', status: to, reason: null },
        })
      await status('paused')
      expect(await at.claims(T0 + 1)).toEqual([])
      await status('enabled')
      const [claim] = await at.claims(T0 + 1)
      expect(claim?.deliveryId).toBe(first)
      await at.deliver(claim, T0 + 1)
      expect(await at.due(T0 + 1)).toEqual([second])
    })
  })
}
