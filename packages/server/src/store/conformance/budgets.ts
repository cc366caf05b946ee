import { describe, expect, it } from 'vitest'
import type { AcceptItem } from '../accept.ts'
import { acceptItem, ALL_EVENTS, factItem, T0, target } from './builders.ts'
import type { StoreSuite } from './suite.ts'

const REFUSED = { kind: 'refused', code: 'run_event_budget_exceeded' }

export function budgetTests(suite: StoreSuite): void {
  const accept = (items: AcceptItem[], budget: number) => suite.accept(items, { budget })

  describe('budget of a run', () => {
    it('refuses the event after the last, of which nothing is stored', async () => {
      const { id: endpointId } = await suite.endpoint()
      const items = Array.from({ length: 4 }, () => acceptItem({ targets: [target(endpointId)] }))
      const results = await accept(items, 3)
      expect(results.map(({ kind }) => kind)).toEqual(['accepted', 'accepted', 'accepted', 'refused'])
      expect(results[3]).toEqual({ ...REFUSED, message: 'the run has had 3 events, which is its budget' })
      expect((await suite.store.listEvents(ALL_EVENTS)).rows).toHaveLength(3)
      expect(await suite.claim('node-a', endpointId)).toHaveLength(3)
      // Neither its id nor its place is taken: with more room it is the fourth.
      expect(await accept([items[3] as AcceptItem], 4)).toMatchObject([{ kind: 'accepted', sequence: 4 }])
    })

    it('counts over batches, and harms no other run, tenant or mode', async () => {
      await accept([acceptItem(), acceptItem()], 2)
      const others = [
        acceptItem({ runId: 'run-2' }),
        acceptItem({ tenantId: 'other' }),
        acceptItem({ mode: 'test' }),
        acceptItem({ runId: null }),
      ]
      const results = await accept([acceptItem(), ...others, acceptItem()], 2)
      expect(results).toMatchObject([REFUSED, ...others.map(() => ({ kind: 'accepted' })), REFUSED])
    })

    it('does not count events without a run', async () => {
      const items = Array.from({ length: 3 }, () => acceptItem({ runId: null }))
      expect((await accept(items, 1)).map(({ kind }) => kind)).toEqual(['accepted', 'accepted', 'accepted'])
    })

    it('answers what was accepted before as a duplicate, and other bytes as a conflict', async () => {
      const item = acceptItem({ idempotencyKey: 'order-1' })
      await accept([item], 1)
      expect(await suite.accept([item], { budget: 1, at: T0 + 9 })).toMatchObject([
        { kind: 'duplicate', eventId: item.eventId, sequence: 1, recordedAt: T0 },
      ])
      expect(await accept([{ ...item, fingerprint: new Uint8Array(32) }], 1)).toMatchObject([{ kind: 'conflict' }])
    })

    it('does not count duplicates', async () => {
      const item = acceptItem()
      await accept([item, item], 2)
      expect(await accept([item, acceptItem()], 2)).toMatchObject([{ kind: 'duplicate' }, { kind: 'accepted' }])
    })

    it('holds when many come at once', async () => {
      const calls = Array.from({ length: 12 }, () => accept([acceptItem()], 5))
      const results = (await Promise.all(calls)).flat()
      const accepted = results.flatMap((result) => (result.kind === 'accepted' ? [result.sequence] : []))
      expect(new Set(accepted)).toEqual(new Set([1, 2, 3, 4, 5]))
      expect(accepted).toHaveLength(5)
      expect(results.filter(({ kind }) => kind === 'refused')).toHaveLength(7)
    })

    it('leaves the run as it was: its end can still come when there is room', async () => {
      const end = factItem('agent.run.completed')
      expect(await accept([factItem('agent.run.started'), end], 1)).toMatchObject([{ kind: 'accepted' }, REFUSED])
      expect(await accept([end], 2)).toMatchObject([{ kind: 'accepted', warnings: [] }])
      // The lifecycle is looked at first.
      expect(await accept([factItem('agent.run.failed')], 2)).toMatchObject([{ code: 'run_already_ended' }])
    })
  })
}
