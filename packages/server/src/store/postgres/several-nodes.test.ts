import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../../../tests/support/postgres-database.ts'
import { acceptItem, ALL_EVENTS, endpointRow, LEASE_MS, T0, target } from '../conformance/builders.ts'
import type { Store } from '../store.ts'
import { openPostgresStore } from './postgres-store.ts'

let database: Promise<TestDatabase> | null = null
let stores: Store[] = []

beforeEach(() => void (database ??= createTestDatabase()))
afterEach(async () => {
  await Promise.all(stores.map((store) => store.close()))
  stores = []
})
afterAll(async () => (await database)?.drop())

async function nodes(count: number): Promise<Store[]> {
  const { url } = await (database as Promise<TestDatabase>)
  const open = () => openPostgresStore({ url, poolSize: 4 })
  const opened = await Promise.all(Array.from({ length: count }, open))
  stores.push(...opened)
  await Promise.all(opened.map((store, index) => store.joinNode({ nodeId: `node-${index}`, leaseMs: LEASE_MS })))
  return opened
}

const versionOf = async (store: Store) =>
  (await store.loadMatchSet({ tenantId: 'default', mode: 'live' })).configVersion

describe('several nodes that accept at once', () => {
  test(
    'positions never become visible out of order, nor are there two of one sequence',
    { timeout: 60_000 },
    async () => {
      const [one, two, reader] = (await nodes(3)) as [Store, Store, Store]
      const endpoint = endpointRow()
      await one.createEndpoint({ endpoint, maxPerTenant: 500 })
      const configVersion = await versionOf(one)
      const publishing = { goesOn: true }
      const publish = async (store: Store, nodeId: string) => {
        for (let batch = 0; batch < 15; batch++) {
          const items = Array.from({ length: 5 }, () => acceptItem({ configVersion, targets: [target(endpoint.id)] }))
          const results = await store.acceptEvents({ nodeId, recordedAt: T0, runEventBudget: 10_000, items })
          expect(results.map(({ kind }) => kind)).toEqual(items.map(() => 'accepted'))
        }
      }
      // Whoever reads up to a position and goes on from there later must not miss one below it.
      let seen = new Set<number>()
      let looks = 0
      const watch = async () => {
        while (publishing.goesOn) {
          const { rows } = await reader.listEvents({ ...ALL_EVENTS, page: { limit: 1000, after: null } })
          const now = rows.map(({ position }) => position)
          const newest = Math.max(0, ...seen)
          expect(now.filter((position) => position < newest && !seen.has(position))).toEqual([])
          seen = new Set(now)
          looks++
        }
      }
      const watching = watch()
      await Promise.all([
        publish(one, 'node-0'),
        publish(one, 'node-0'),
        publish(two, 'node-1'),
        publish(two, 'node-1'),
      ])
      publishing.goesOn = false
      await watching
      expect(looks).toBeGreaterThan(2)
      const { rows } = await reader.listEvents({ ...ALL_EVENTS, page: { limit: 1000, after: null } })
      const sequences = rows.map(({ sequence }) => sequence)
      expect(sequences).toEqual(Array.from({ length: 300 }, (_, index) => 300 - index))
    },
  )

  test('the same event at fifty of them is one event, whose first answer all others get', async () => {
    const [one, two] = (await nodes(2)) as [Store, Store]
    const item = acceptItem({ configVersion: await versionOf(one), runId: null })
    const calls = Array.from({ length: 50 }, (_, index) => {
      const [store, nodeId] = index % 2 === 0 ? [one, 'node-0'] : [two, 'node-1']
      return store.acceptEvents({ nodeId, recordedAt: T0, runEventBudget: 1000, items: [item] })
    })
    const kinds = (await Promise.all(calls)).map(([result]) => result?.kind)
    expect(kinds.filter((kind) => kind === 'accepted')).toHaveLength(1)
    expect(kinds.filter((kind) => kind === 'duplicate')).toHaveLength(49)
  })

  test('an event matched before another node changed the configuration is stale', async () => {
    const [one, two] = (await nodes(2)) as [Store, Store]
    const configVersion = await versionOf(one)
    const races = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const item = acceptItem({ configVersion, runId: null })
        const [[accepted], changed] = await Promise.all([
          one.acceptEvents({ nodeId: 'node-0', recordedAt: T0, runEventBudget: 1000, items: [item] }),
          two.createEndpoint({ endpoint: endpointRow(), maxPerTenant: 500 }),
        ])
        return { kind: accepted?.kind, changed: changed?.kind }
      }),
    )
    expect(races.filter(({ kind }) => kind !== 'accepted' && kind !== 'stale')).toEqual([])
    const late = acceptItem({ configVersion })
    const batch = { nodeId: 'node-0', recordedAt: T0, runEventBudget: 1000, items: [late] }
    expect(await one.acceptEvents(batch)).toMatchObject([{ kind: 'stale' }])
  })
})

test('backends that are terminated under load lose nothing that was acknowledged', async () => {
  const [one] = (await nodes(1)) as [Store]
  const configVersion = await versionOf(one)
  const { query } = await (database as Promise<TestDatabase>)
  const acknowledged: string[] = []
  let refused = 0
  const publish = async () => {
    for (let batch = 0; batch < 60; batch++) {
      const items = Array.from({ length: 3 }, () => acceptItem({ configVersion, runId: null }))
      const call = one.acceptEvents({ nodeId: 'node-0', recordedAt: T0, runEventBudget: 1000, items })
      await call.then(
        () => acknowledged.push(...items.map(({ eventId }) => eventId)),
        () => refused++,
      )
    }
  }
  const terminate = async () => {
    for (let time = 0; time < 10; time++) {
      await query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      )
    }
  }
  await Promise.all([publish(), publish(), terminate()])
  // Back by itself.
  await publish()
  const stored = await query('SELECT event_id FROM runbell.events')
  const ids = new Set(stored.map(({ event_id: id }) => id))
  expect(acknowledged.filter((id) => !ids.has(id))).toEqual([])
  expect(acknowledged.length).toBeGreaterThan(180)
})
