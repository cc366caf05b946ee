import { describe, expect, it } from 'vitest'
import { attemptRecord, failedRecord, T0 } from './builders.ts'
import { FIRST_NODE, type StoreSuite } from './suite.ts'

export function activityTests(suite: StoreSuite): void {
  const read = (endpointId: string, input: { since?: number; deliveries?: number; pendingLimit?: number } = {}) =>
    suite.store.readActivity({ endpointId, since: 0, deliveries: 10, pendingLimit: 10, ...input })

  describe('activity of an endpoint', () => {
    it('is what waits and how its attempts ended, and nobody else’s', async () => {
      const { id } = await suite.endpoint()
      const other = await suite.delivery()
      expect(await read(id)).toEqual({ pending: 0, oldestPendingAt: null, attempts: [] })
      expect(await read('ep_nobody')).toEqual({ pending: 0, oldestPendingAt: null, attempts: [] })
      await suite.delivery({ endpointId: id, at: T0 - 20 })
      const first = await suite.claimOne(FIRST_NODE, id)
      await suite.record(FIRST_NODE, failedRecord(first, T0 + 99, { durationMs: 40 }))
      await suite.delivery({ endpointId: id, at: T0 - 10 })
      const second = await suite.claimOne(FIRST_NODE, id)
      await suite.record(FIRST_NODE, attemptRecord(second, { durationMs: 7, startedAt: T0 + 50 }))
      await suite.delivery({ endpointId: id, at: T0 + 5 })
      const { attempts, ...waiting } = await read(id)
      expect(waiting).toEqual({ pending: 2, oldestPendingAt: T0 - 20 })
      expect(attempts.toSorted((a, b) => (a.durationMs ?? 0) - (b.durationMs ?? 0))).toEqual([
        { outcome: 'delivered', durationMs: 7 },
        { outcome: 'http_error', durationMs: 40 },
      ])
      expect((await read(id, { since: T0 + 50 })).attempts).toHaveLength(1)
      // Of the two latest deliveries one has had no attempt.
      expect((await read(id, { deliveries: 2 })).attempts).toEqual([{ outcome: 'delivered', durationMs: 7 }])
      expect((await read(id, { pendingLimit: 1 })).pending).toBe(1)
      expect(await read(other.endpointId)).toMatchObject({ pending: 1, attempts: [] })
    })

    it('does not count what is in flight', async () => {
      const { endpointId } = await suite.delivery()
      await suite.claimOne(FIRST_NODE, endpointId)
      expect(await read(endpointId)).toEqual({ pending: 0, oldestPendingAt: null, attempts: [] })
    })
  })
}
