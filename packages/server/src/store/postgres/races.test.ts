import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { until } from '../../../../../tests/support/until.ts'
import { PostgresHarness } from '../../../test/postgres-harness.ts'
import {
  acceptItem,
  ALL_EVENTS,
  ANY_DELIVERY,
  attemptRecord,
  bytes,
  endpointRow,
  LEASE_MS,
  LIVE,
  MINUTE,
  newId,
  T0,
  target,
} from '../conformance/builders.ts'
import { maskOf } from '../../core/data-classes.ts'
import type { AcceptItem, AcceptResult } from '../accept.ts'
import { modes } from '../codes.ts'
import type { Claim, EndpointPatch } from '../rows.ts'
import type { Store } from '../store.ts'
import { openPostgresStore } from './postgres-store.ts'

/*
 * Publishers and workers on several nodes at once. Which one comes first is left to chance: each test is run for a number of rounds,
 * and holds what has to be true either way.
 */

const harness = new PostgresHarness()
const NODES = ['node-0', 'node-1', 'node-2', 'node-3'] as const
let stores: Store[]
let first: Store
let cleanup: () => Promise<void>

beforeAll(async () => {
  const { url } = await harness.database()
  stores = await Promise.all(NODES.map(() => openPostgresStore({ url, poolSize: 4 })))
  first = stores[0] as Store
}, 60_000)

afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()))
  await harness.close()
})

beforeEach(async () => {
  cleanup = (await harness.make()).cleanup
  await Promise.all(stores.map((store, index) => store.joinNode({ nodeId: nodeOf(index), leaseMs: LEASE_MS })))
})

afterEach(() => cleanup())

function nodeOf(index: number): string {
  return NODES[index % NODES.length] as string
}

/** Which of the stores, by turns. */
function storeOf(index: number): Store {
  return stores[index % stores.length] as Store
}

async function addEndpoint(...dataClasses: 'personal'[]): Promise<string> {
  const endpoint = endpointRow({ dataClasses: ['public', 'summary', ...dataClasses] })
  await first.createEndpoint({ endpoint, maxPerTenant: 500 })
  return endpoint.id
}

async function configVersion(): Promise<number> {
  return (await first.loadMatchSet({ tenantId: 'default', mode: 'live' })).configVersion
}

function accept(index: number, items: readonly AcceptItem[], at = T0): Promise<AcceptResult[]> {
  const batch = { nodeId: nodeOf(index), recordedAt: at, runEventBudget: 100_000, items: [...items] }
  return storeOf(index).acceptEvents(batch)
}

function times<Result>(count: number, make: (index: number) => Result): Result[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

/** In an order of its own each time. */
function shuffled<Element>(elements: readonly Element[]): Element[] {
  return elements
    .map((element) => ({ element, key: Math.random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ element }) => element)
}

/** Deadlocks so far; sessions tell of theirs when they end at the latest. */
async function deadlocksAfter(applicationName: string): Promise<number> {
  const { query } = await harness.database()
  const sessions = `SELECT 1 FROM pg_stat_activity WHERE application_name = $1`
  await until(
    'their sessions have ended',
    async () => (await query(sessions, [applicationName])).length,
    (left) => left === 0,
  )
  const [row] = await query('SELECT deadlocks::integer FROM pg_stat_database WHERE datname = current_database()')
  return row?.['deadlocks'] as number
}

const kindsOf = (results: readonly AcceptResult[]) => results.map(({ kind }) => kind).toSorted()

describe('G3: the same published on several nodes at once', () => {
  test('by id: one is accepted, and the others are its duplicates with the same answer', async () => {
    const version = await configVersion()
    for (let round = 0; round < 10; round++) {
      const item = { ...acceptItem({ runId: `run-${round}` }), configVersion: version }
      const results = (await Promise.all(times(8, (index) => accept(index, [item], T0 + index)))).flat()
      expect(kindsOf(results)).toEqual(['accepted', ...times(7, () => 'duplicate')])
      const answers = results.map((result) => ('recordedAt' in result ? [result.recordedAt, result.sequence] : result))
      expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    }
    expect((await first.listEvents(ALL_EVENTS)).rows).toHaveLength(10)
  })

  test('by key: one is accepted, and the others are its duplicates under its id', async () => {
    const version = await configVersion()
    for (let round = 0; round < 10; round++) {
      const fingerprint = bytes(`same bytes ${round}`.padEnd(32))
      const results = await Promise.all(
        times(8, (index) => {
          const fields = { idempotencyKey: `key-${round}`, fingerprint, runId: `run-${index % 2}` }
          return accept(index, [{ ...acceptItem(fields), configVersion: version }])
        }),
      )
      expect(kindsOf(results.flat())).toEqual(['accepted', ...times(7, () => 'duplicate')])
      const ids = results.flat().flatMap((result) => (result.kind === 'duplicate' ? [result.eventId] : []))
      expect(new Set(ids).size).toBe(1)
    }
    const { rows } = await first.listEvents(ALL_EVENTS)
    expect(rows).toHaveLength(10)
    // A place in a run that was taken for what turned out to be a duplicate is not lost.
    for (const runId of ['run-0', 'run-1']) {
      const sequences = rows.filter((row) => row.runId === runId).map(({ sequence }) => sequence)
      expect(sequences.toSorted((a, b) => (a ?? 0) - (b ?? 0))).toEqual(times(sequences.length, (index) => index + 1))
    }
  })

  test('with other bytes: one is accepted, and the others are conflicts', async () => {
    const version = await configVersion()
    for (let round = 0; round < 5; round++) {
      const eventId = newId('event')
      const items = times(6, (index) => acceptItem({ eventId, data: `{"status":"completed","n":${index}}` }))
      const results = await Promise.all(
        items.map((item, index) => accept(index, [{ ...item, configVersion: version }])),
      )
      expect(kindsOf(results.flat())).toEqual(['accepted', ...times(5, () => 'conflict')])
    }
  })
})

test('details 22: who reads by position while four nodes commit sees every event, in rising order', async () => {
  const version = await configVersion()
  const { query } = await harness.database()
  const done = { yes: false }
  const writing = Promise.all(
    NODES.map(async (_, writer) => {
      const positions: number[] = []
      for (let round = 0; round < 20; round++) {
        // Batches of several sizes: the long ones take their positions before short ones that commit at the same time.
        const items = times(1 + ((writer * 7 + round) % 40), () => ({
          ...acceptItem({ runId: null }),
          configVersion: version,
        }))
        for (const result of await accept(writer, items))
          if (result.kind === 'accepted') positions.push(result.position)
      }
      return positions
    }),
  ).finally(() => (done.yes = true))
  const seen: number[] = []
  for (let last = 0, isLast = false; !isLast;) {
    isLast = done.yes
    const rows = await query('SELECT position FROM runbell.events WHERE position > $1 ORDER BY position', [last])
    for (const row of rows) seen.push(Number(row['position']))
    last = seen.at(-1) ?? 0
  }
  expect(seen).toEqual((await writing).flat().toSorted((a, b) => a - b))
})

describe('workers on several nodes at once', () => {
  async function fill(endpoints: readonly string[], each: number): Promise<void> {
    const version = await configVersion()
    const items = endpoints.flatMap((endpointId) =>
      times(each, () => ({ ...acceptItem({ runId: null, targets: [target(endpointId)] }), configVersion: version })),
    )
    await accept(0, items)
  }

  test('no delivery is claimed twice, and none is left', async () => {
    const endpoints = [await addEndpoint(), await addEndpoint(), await addEndpoint()]
    await fill(endpoints, 60)
    const claimAll = async (index: number): Promise<Claim[]> => {
      const claims: Claim[] = []
      for (;;) {
        const requests = shuffled(endpoints).map((endpointId) => ({ endpointId, limit: 7 }))
        const found = (await storeOf(index).claimDue({ nodeId: nodeOf(index), now: T0, requests })).claims
        claims.push(...found)
        if (found.length === 0) return claims
      }
    }
    const claimed = (await Promise.all(times(4, claimAll))).flat()
    const positions = claimed.map(({ position }) => position)
    expect(new Set(positions).size).toBe(positions.length)
    // Who came while rows were held by another passed over them; nothing is left once all are done.
    const rest = await claimAll(0)
    expect(positions.length + rest.length).toBe(endpoints.length * 60)
    expect([...claimed, ...rest].filter(({ number }) => number !== 1)).toEqual([])
  })

  test('G7: an outcome that comes while another node rescues its claim is recorded or stale, and never both', async () => {
    const { query } = await harness.database()
    for (let round = 0; round < 8; round++) {
      const endpointId = await addEndpoint()
      await fill([endpointId], 20)
      const now = T0 + MINUTE
      const { claims } = await storeOf(1).claimDue({ nodeId: 'node-1', now, requests: [{ endpointId, limit: 20 }] })
      await query(`UPDATE runbell.nodes SET lease_until = now() - interval '1 s' WHERE node_id = 'node-1'`)
      const [recorded, rescued] = await Promise.all([
        storeOf(1).recordAttempts({ nodeId: 'node-1', now, records: claims.map((claim) => attemptRecord(claim)) }),
        storeOf(2).rescueClaims({ nodeId: 'node-2', now, limit: 100 }),
      ])
      const won = recorded.results.filter((result) => result === 'recorded').length
      // All or nothing: each is one transaction.
      expect([won, rescued.rescued.length]).toEqual(won > 0 ? [20, 0] : [0, 20])
      const rows = await query(
        `SELECT DISTINCT d.status, d.attempt_count, a.outcome, a.number, q.due_at IS NOT NULL AS waits, d.suspect
         FROM runbell.deliveries d JOIN runbell.attempts a ON a.delivery = d.position
           LEFT JOIN runbell.queue q ON q.delivery = d.position WHERE d.position = ANY($1)`,
        [claims.map(({ position }) => position)],
      )
      const delivered = { status: 1, waits: false, suspect: false }
      const unknown = { status: 0, waits: true, suspect: true }
      expect(rows).toMatchObject([{ attempt_count: 1, number: 1, ...(won > 0 ? delivered : unknown) }])
      // Said again, by the node that has come back: too late.
      await storeOf(1).joinNode({ nodeId: 'node-1', leaseMs: LEASE_MS })
      const again = await storeOf(1).recordAttempts({
        nodeId: 'node-1',
        now,
        records: claims.map((claim) => attemptRecord(claim)),
      })
      expect(new Set(again.results)).toEqual(new Set(['stale']))
      await storeOf(2).rescueClaims({ nodeId: 'node-2', now, limit: 100 })
    }
  })

  test('eight writers over the same runs and endpoints, in any order, never fail and wait for no deadlock', async () => {
    const endpoints = [await addEndpoint(), await addEndpoint(), await addEndpoint()]
    const version = await configVersion()
    const { query, url } = await harness.database()
    const writers = await Promise.all(
      times(8, () => openPostgresStore({ url: `${url}?application_name=writer`, poolSize: 2 })),
    )
    const rounds = 8
    const old = ['run-a', 'run-b', 'run-c']
    const fresh = times(30, (index) => `new-${index}`)
    const write = async (index: number): Promise<void> => {
      for (let round = 0; round < rounds; round++) {
        // By turns: runs that are there, and some that are new for all eight at once.
        const names = round % 2 === 0 ? old : fresh.map((name) => `${name}-${round}`)
        const runs = shuffled(names)
        const items = runs.map((runId) => {
          const targets = shuffled(endpoints).map((endpointId, place) => target(endpointId, place === 0))
          return { ...acceptItem({ runId, targets }), configVersion: version }
        })
        const batch = { nodeId: nodeOf(index), recordedAt: T0, runEventBudget: 100_000, items }
        const results = await (writers[index] as Store).acceptEvents(batch)
        expect(kindsOf(results)).toEqual(times(runs.length, () => 'accepted'))
        await work(index)
      }
    }
    const work = async (index: number): Promise<void> => {
      const [store, nodeId] = [writers[index] as Store, nodeOf(index)]
      const requests = shuffled(endpoints).map((endpointId) => ({ endpointId, limit: 4 }))
      const { claims } = await store.claimDue({ nodeId, now: T0, requests })
      const [back, sent] = [claims.slice(0, 2), shuffled(claims.slice(2))]
      const effects = [{ kind: 'failing_since', at: T0 } as const, { kind: 'recovered' } as const]
      const records = sent.map((claim, place) => ({
        ...attemptRecord(
          claim,
          place % 3 === 0 ? { outcome: 'timeout', statusCode: null, verdict: { kind: 'retry', at: T0 } } : {},
        ),
        endpointEffect: effects[place % 2] ?? null,
      }))
      await Promise.all([
        store.recordAttempts({ nodeId, now: T0, records }),
        store.releaseClaims({ nodeId, now: T0, claims: back.map((claim) => ({ ...claim, dueAt: T0 })) }),
        store.expireDeliveries({ now: T0, limit: 10 }),
        store.cancelHeld({ now: T0, disabledBefore: T0, limit: 10 }),
      ])
    }
    await Promise.all(times(8, write))
    await Promise.all(writers.map((store) => store.close()))
    expect(await deadlocksAfter('writer')).toBe(0)
    const counts = await query(
      'SELECT last_sequence::integer AS last, count(*)::integer AS runs FROM runbell.runs GROUP BY 1 ORDER BY 1',
    )
    expect(counts).toEqual([
      { last: 8, runs: (fresh.length * rounds) / 2 },
      { last: (8 * rounds) / 2, runs: old.length },
    ])
  })
})

test('two that make the same runs in opposite orders wait for each other in one order', async () => {
  const { query, url } = await harness.database()
  const opened = () => openPostgresStore({ url: `${url}?application_name=maker`, poolSize: 2 })
  const makers = await Promise.all([opened(), opened()])
  const version = await configVersion()
  const items = times(9, (index) => ({ ...acceptItem({ runId: `both-${index}` }), configVersion: version }))
  const others = items.map((item) => ({ ...item, eventId: newId('event') })).toReversed()
  // Both come as far as the run in the middle; then it is free.
  await query(`BEGIN; INSERT INTO runbell.runs (mode, tenant_id, run_id, last_sequence, phase, started, lifecycle_warnings, created_at,
    updated_at) VALUES (${modes.encode('live')}, 'default', 'both-4', 0, 0, FALSE, 0, 0, 0)`)
  const batches = [items, others].map((batch, index) => {
    const of = { nodeId: nodeOf(index), recordedAt: T0, runEventBudget: 100, items: batch }
    return (makers[index] as Store).acceptEvents(of)
  })
  const waiting = `SELECT pid FROM pg_stat_activity WHERE application_name = 'maker' AND wait_event_type = 'Lock'`
  const count = async () => {
    // Within a transaction the same would be seen again and again.
    await query('SELECT pg_stat_clear_snapshot()')
    return (await query(waiting)).length
  }
  await until('both wait', count, (seen) => seen === 2)
  await query('ROLLBACK')
  expect(kindsOf((await Promise.all(batches)).flat())).toEqual(times(18, () => 'accepted'))
  await Promise.all(makers.map((store) => store.close()))
  expect(await deadlocksAfter('maker')).toBe(0)
})

test('G5: what is accepted beside a change of grants was accepted before it, or is stale', async () => {
  const personal = maskOf(['personal'])
  for (let round = 0; round < 10; round++) {
    const endpointId = await addEndpoint('personal')
    const version = await configVersion()
    const patch: EndpointPatch = { dataClasses: ['public', 'summary'] }
    const change = { kind: 'patch', patch } as const
    const items = times(6, () => {
      const item = acceptItem({ runId: null, classes: personal, targets: [target(endpointId)] })
      return { ...item, configVersion: version }
    })
    const [results] = await Promise.all([
      Promise.all(items.map((item, index) => accept(index, [item]))),
      storeOf(round).changeEndpoint({ scope: LIVE, endpointId, change, now: T0 }),
    ])
    expect(results.flat().filter(({ kind }) => kind !== 'accepted' && kind !== 'stale')).toEqual([])
    // Those that came before it wait with more than may be sent: the change ended them, and nothing is ever claimed.
    const { claims } = await first.claimDue({ nodeId: 'node-0', now: T0, requests: [{ endpointId, limit: 100 }] })
    expect(claims).toEqual([])
    const accepted = results.flat().filter(({ kind }) => kind === 'accepted').length
    const { rows } = await first.listDeliveries({
      scope: LIVE,
      filter: { ...ANY_DELIVERY, endpointId },
      page: { limit: 100, after: null },
    })
    expect(rows.map(({ status, reason }) => `${status} ${reason}`)).toEqual(
      times(accepted, () => 'cancelled policy_changed'),
    )
  }
})
