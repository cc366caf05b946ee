import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openInlineSqliteStore } from '../../packages/server/test/inline-sqlite-store.ts'
import { attemptRecord, LIVE, MINUTE, T0 } from '../../packages/server/src/store/conformance/builders.ts'
import { FIRST_NODE, StoreSuite } from '../../packages/server/src/store/conformance/suite.ts'

const OLD = T0 - 100 * MINUTE

describe('retention that was lengthened', () => {
  const suite = new StoreSuite(
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'runbell-regression-'))
      const store = openInlineSqliteStore(join(folder, 'runbell.db'))
      return {
        store,
        async cleanup() {
          await store.close()
          await rm(folder, { recursive: true, force: true })
        },
      }
    },
    { leases: false },
  )

  it.each(['events', 'payloads'] as const)(
    'keeps %s that were left as pending and are young by the new setting',
    async (what) => {
      const one = await suite.delivery({ at: OLD })
      const prune = (before: number, again: number | null) =>
        suite.store.prune({ what, mode: 'live', before, now: T0, limit: 100, again })
      // Kept for 50 min: it is older, and pending, so it is left.
      expect(await prune(T0 - 50 * MINUTE, null)).toMatchObject({ removed: 0 })
      // A start with 1000 min: the event is 100 min old. Then it is delivered.
      const claim = await suite.claimOne(FIRST_NODE, one.endpointId)
      await suite.record(FIRST_NODE, attemptRecord(claim))
      expect(await prune(T0 - 1000 * MINUTE, 0)).toMatchObject({ removed: 0 })
      const [event] = await suite.store.findEvents({ scope: LIVE, eventId: one.item.eventId })
      expect(event?.payloadGone).toBeNull()
    },
  )
})
