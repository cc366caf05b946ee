import { describe, expect, it } from 'vitest'
import type { Mode } from '@runbell/sdk/contract'
import type { EventTypeRow } from '../rows.ts'
import { T0 } from './builders.ts'
import type { StoreSuite } from './suite.ts'

export function eventTypeTests(suite: StoreSuite): void {
  const put = (input: Partial<Parameters<StoreSuite['store']['putEventType']>[0]> = {}) =>
    suite.store.putEventType({
      ...{ mode: 'live', type: 'acme.invoice.drafted', definition: '{"v":1}' },
      ...{ expected: 0, maxTypes: 10, now: T0, ...input },
    })
  const load = async (mode: Mode = 'live'): Promise<EventTypeRow[]> =>
    (await suite.store.loadEventTypes({ mode })).types

  describe('event types', () => {
    it('are kept as they were given, and count their revisions', async () => {
      const first = '{"v":1.0,"s":"\\u00e9é\u2028😀"}'
      expect(await put({ definition: first })).toMatchObject({ kind: 'kept', revision: 1 })
      const row = { mode: 'live', type: 'acme.invoice.drafted', createdAt: T0 }
      expect(await load()).toEqual([{ ...row, revision: 1, definition: first, updatedAt: T0 }])
      expect(await put({ definition: '{"v":2}', expected: 1, now: T0 + 5 })).toMatchObject({ revision: 2 })
      expect(await load()).toEqual([{ ...row, revision: 2, definition: '{"v":2}', updatedAt: T0 + 5 }])
    })

    it('are in conflict where the revision is another, and nothing is changed', async () => {
      for (const expected of [1, 2]) expect(await put({ expected })).toEqual({ kind: 'conflict' })
      expect(await load()).toEqual([])
      await put()
      const before = await suite.store.loadEventTypes({ mode: 'live' })
      for (const expected of [0, 2]) {
        expect(await put({ definition: '{"v":9}', expected, now: T0 + 5 })).toEqual({ kind: 'conflict' })
      }
      expect(await suite.store.loadEventTypes({ mode: 'live' })).toEqual(before)
    })

    it('can be asked for again after a lost answer: the row shows that it was kept', async () => {
      await put({ definition: '{"mine":1}' })
      expect(await put({ definition: '{"mine":1}' })).toEqual({ kind: 'conflict' })
      expect(await load()).toMatchObject([{ revision: 1, definition: '{"mine":1}' }])
    })

    it('let one of many that change the same revision through', async () => {
      const results = await Promise.all([1, 2, 3, 4, 5].map((v) => put({ definition: `{"v":${v}}` })))
      expect(results.map(({ kind }) => kind).toSorted()).toEqual([...Array(4).fill('conflict'), 'kept'])
    })

    it('are full at their limit for new ones, for each mode apart, and can still be changed', async () => {
      await put({ type: 'acme.a', maxTypes: 2 })
      await put({ type: 'acme.b', maxTypes: 2 })
      const before = await suite.configVersion()
      expect(await put({ type: 'acme.c', maxTypes: 2 })).toEqual({ kind: 'full' })
      expect(await suite.configVersion()).toBe(before)
      expect(await put({ type: 'acme.b', maxTypes: 2, expected: 1 })).toMatchObject({ kind: 'kept' })
      expect(await put({ type: 'acme.c', mode: 'test', maxTypes: 2 })).toMatchObject({ kind: 'kept' })
      expect((await load()).map(({ type }) => type)).toEqual(['acme.a', 'acme.b'])
      expect(await load('test')).toMatchObject([{ type: 'acme.c', mode: 'test', revision: 1 }])
    })

    it('make what was matched before stale, and tell the version they are of', async () => {
      const before = await suite.configVersion()
      const kept = await put()
      if (kept.kind !== 'kept') throw new Error('not kept')
      expect(kept.configVersion).toBeGreaterThan(before)
      expect((await suite.store.loadEventTypes({ mode: 'live' })).configVersion).toBe(kept.configVersion)
      expect(await suite.configVersion()).toBe(kept.configVersion)
    })

    it('come in the order of their names, and are there when the store is opened again', async (context) => {
      for (const type of ['acme.b', 'acme.a', 'zeta.x', 'acme.a_b']) await put({ type })
      const names = ['acme.a', 'acme.a_b', 'acme.b', 'zeta.x']
      expect((await load()).map(({ type }) => type)).toEqual(names)
      if (!(await suite.reopen())) return context.skip('this store keeps nothing after it is closed')
      expect((await load()).map(({ type }) => type)).toEqual(names)
    })
  })
}
