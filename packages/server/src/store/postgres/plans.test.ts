import type { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PostgresHarness } from '../../../test/postgres-harness.ts'
import {
  acceptItem,
  ANY_DELIVERY,
  ANY_EVENT,
  attemptRecord,
  endpointRow,
  LEASE_MS,
  LIVE,
  T0,
  target,
} from '../conformance/builders.ts'
import type { Claim, PageRequest, ReadScope } from '../rows.ts'
import type { EndedFilter } from '../surveys.ts'
import { openDatabase, type Database } from './database.ts'
import { openPostgresStore } from './postgres-store.ts'
import { Session } from './session.ts'
import { ExplainingClient, type Scan } from './testing/explained-statements.ts'
import { ENDPOINTS, FEW, fillStatements } from './testing/fill-tables.ts'
import type { Verbs } from './verbs/context.ts'
import { EndpointCache } from './verbs/endpoint-cache.ts'
import { VERBS } from './verbs/index.ts'

/*
 * How each hot verb gets at its rows when the tables are full: by which index, and how many rows it looks at, which must not depend on
 * how many there are. `RUNBELL_TEST_ROWS=10000000` does the same with so many events.
 */

const EVENTS = Number(process.env['RUNBELL_TEST_ROWS'] ?? 100_000)
const FILL_TIMEOUT_MS = Math.max(60_000, EVENTS * 2)
/** Tables that grow with what is published, or with what waits. */
const GROWING = new Set([
  ...[
    'runs',
    'run_children',
    'events',
    'idempotency_keys',
    'bodies',
    'deliveries',
    'queue',
    'attempts',
    'dead_letters',
  ],
  ...['unannounced', 'retention_left'],
])

/** A table with so few rows is read whole, rightly. */
const SMALL_TABLE = 500

const harness = new PostgresHarness()
const endpoints = Array.from({ length: ENDPOINTS }, () => endpointRow())
const small = endpointRow({ tenantId: 'small' })
let database: Database
let client: Client

beforeAll(async () => {
  const { url, query } = await harness.database()
  const store = await openPostgresStore({ url })
  for (const endpoint of [...endpoints, small]) await store.createEndpoint({ endpoint, maxPerTenant: 500 })
  for (const nodeId of ['alive', 'dead']) await store.joinNode({ nodeId, leaseMs: LEASE_MS * 1000 })
  await store.close()
  const refOf = async (table: string, column: string, id: string) =>
    Number((await query(`SELECT ref FROM runbell.${table} WHERE ${column} = $1`, [id]))[0]?.['ref'])
  const filling = {
    events: EVENTS,
    endpoint: await refOf('endpoints', 'id', endpoints[0]?.id ?? ''),
    small: await refOf('endpoints', 'id', small.id),
    alive: await refOf('nodes', 'node_id', 'alive'),
    dead: await refOf('nodes', 'node_id', 'dead'),
  }
  database = await openDatabase({ url })
  client = await database.connectAlone()
  await client.query('SET statement_timeout = 0')
  for (const statement of fillStatements(filling)) await client.query(statement)
  await client.query(`UPDATE nodes SET lease_until = now() - interval '1 s' WHERE node_id = 'dead'`)
}, FILL_TIMEOUT_MS)

afterAll(async () => {
  await client.end()
  await database.close()
  await harness.close()
})

interface Expectation {
  /** Indexes that are used, each by its name. */
  by: string[]
  /** Rows of growing tables that are looked at, and that each scan is believed to find, at most. */
  rows: number
}

/** Runs the verb, explained, and takes it back. */
async function explain<Name extends keyof Verbs>(verb: Name, input: Parameters<Verbs[Name]>[1]): Promise<Scan[]> {
  const explaining = new ExplainingClient(client)
  await client.query('BEGIN')
  try {
    const db = new Session(explaining.asClient, database.hintChannel)
    const work = VERBS[verb] as (context: unknown, input: unknown) => Promise<unknown>
    await work({ db, endpoints: new EndpointCache(), lock: (name: 'positions') => database.lock(name) }, input)
  } finally {
    await client.query('ROLLBACK')
  }
  return explaining.explained.flatMap(({ scans }) => scans)
}

async function holds<Name extends keyof Verbs>(
  verb: Name,
  input: Parameters<Verbs[Name]>[1],
  { by, rows }: Expectation,
): Promise<void> {
  const scans = (await explain(verb, input)).filter(({ table }) => GROWING.has(table))
  expect
    .soft(
      scans.filter(({ index, read }) => index === null && read > SMALL_TABLE),
      `${verb} goes through a whole table`,
    )
    .toEqual([])
  expect
    .soft(
      scans.filter(({ read }) => read > rows),
      `${verb} looks at more than ${rows} rows`,
    )
    .toEqual([])
  expect
    .soft(
      scans.filter(({ expected }) => (expected ?? 0) > rows),
      `${verb} is planned for more than ${rows} rows`,
    )
    .toEqual([])
  expect.soft([...new Set(scans.map(({ index }) => index))], `${verb} by index`).toEqual(expect.arrayContaining(by))
}

const PAGE: PageRequest = { limit: 50, after: null }
const DEFAULT: ReadScope = { mode: 'live', tenantId: 'default' }
const SMALL: ReadScope = { mode: 'live', tenantId: 'small' }
const anEndpoint = () => endpoints[7]?.id ?? ''
const asked = (limit: number) => endpoints.map(({ id }) => ({ endpointId: id, limit }))
const MIDDLE = Math.floor(EVENTS / 2)
const idOf = (event: number) => `evt_${String(event).padStart(26, '0')}`
const runOf = (event: number) => `run-${Math.floor(event / 20) + 1}`

test('accepting: known ids, keys, runs', async () => {
  const fresh = Array.from({ length: 50 }, (_, index) =>
    acceptItem({ runId: runOf(MIDDLE + index * 20), targets: endpoints.slice(0, 3).map(({ id }) => target(id)) }),
  )
  const again = Array.from({ length: 50 }, (_, index) =>
    acceptItem({ eventId: idOf(MIDDLE + index * 100), runId: null }),
  )
  const keyed = Array.from({ length: 50 }, (_, index) =>
    acceptItem({ idempotencyKey: `key-${String(index * 10 + 100).padStart(20, '0')}`, runId: null }),
  )
  const { rows } = await client.query<{ value: number }>(`SELECT value FROM settings WHERE name = 'config_version'`)
  const items = [...fresh, ...again, ...keyed].map((item) => ({ ...item, configVersion: rows[0]?.value ?? 0 }))
  const input = { nodeId: 'alive', recordedAt: T0, runEventBudget: 1000, items }
  await holds('acceptEvents', input, { by: ['events_id', 'idempotency_keys_id', 'events_pkey', 'runs_id'], rows: 100 })
})

test('finding and claiming what is due', async () => {
  await holds('findDueEndpoints', { after: null, limit: 1000 }, { by: ['queue_due'], rows: 200 })
  const claim = { nodeId: 'alive', now: T0, requests: asked(10) }
  await holds('claimDue', claim, {
    by: ['queue_due', 'deliveries_pkey', 'events_pkey', 'runs_pkey'],
    rows: 10 * ENDPOINTS,
  })
  await holds('claimSuspect', { nodeId: 'alive', now: T0 }, { by: ['queue_suspect'], rows: 100 })
  await holds('findClaims', { nodeId: 'alive', limit: 100 }, { by: ['queue_node'], rows: 1000 })
})

test('outcomes, released claims, and those of a dead node', async () => {
  const { rows } = await client.query<{ delivery: number }>(
    `SELECT q.delivery FROM queue q JOIN nodes n ON n.ref = q.node WHERE n.node_id = 'alive' ORDER BY delivery LIMIT 100`,
  )
  const claims = rows.map(({ delivery }) => ({ position: delivery, number: 1, trigger: 'scheduled' }) as Claim)
  const retry = { outcome: 'timeout', statusCode: null, verdict: { kind: 'retry', at: T0 } } as const
  const records = claims.map((claim, index) => attemptRecord(claim, index % 2 === 0 ? {} : retry))
  await holds(
    'recordAttempts',
    { nodeId: 'alive', now: T0, records },
    { by: ['queue_pkey', 'deliveries_pkey'], rows: 200 },
  )
  const released = claims.map((claim) => ({ ...claim, dueAt: T0 }))
  const released50 = { nodeId: 'alive', now: T0, claims: released.slice(0, 50) }
  await holds('releaseClaims', released50, { by: ['queue_pkey', 'deliveries_pkey'], rows: 100 })
  await holds(
    'rescueClaims',
    { nodeId: 'alive', now: T0, limit: 100 },
    { by: ['queue_node', 'deliveries_pkey'], rows: EVENTS / 100 },
  )
})

test('what ends by itself, and what is to be told', async () => {
  await holds(
    'expireDeliveries',
    { now: T0, limit: 100 },
    { by: ['queue_deadline', 'deliveries_pkey'], rows: EVENTS / 100 },
  )
  await holds('cancelHeld', { now: T0, disabledBefore: T0, limit: 100 }, { by: [], rows: 0 })
  await holds(
    'findUnannounced',
    { limit: 20 },
    { by: ['unannounced_pkey', 'deliveries_pkey', 'events_pkey'], rows: 1000 },
  )
  await holds(
    'countPending',
    { mode: 'live', tenantId: 'default', limit: 1000 },
    { by: ['queue_tenant'], rows: EVENTS },
  )
})

test('endpoints read no history', async () => {
  await holds('loadMatchSet', { tenantId: 'default', mode: 'live' }, { by: [], rows: 0 })
  await holds('loadEndpoints', { endpointIds: endpoints.map(({ id }) => id) }, { by: [], rows: 0 })
  const activity = { endpointId: anEndpoint(), since: T0 - 3_600_000, deliveries: 200, pendingLimit: 1000 }
  await holds('readActivity', activity, {
    by: ['queue_due', 'deliveries_endpoint', 'attempts_pkey'],
    rows: EVENTS / ENDPOINTS,
  })
})

test('events', async () => {
  const few = 4 * PAGE.limit
  await holds(
    'findEvents',
    { scope: LIVE, eventId: idOf(MIDDLE) },
    { by: ['events_id', 'deliveries_event'], rows: few },
  )
  await holds('listEvents', { scope: LIVE, filter: ANY_EVENT, page: PAGE }, { by: ['events_pkey'], rows: few })
  await holds('listEvents', { scope: DEFAULT, filter: ANY_EVENT, page: PAGE }, { by: [], rows: few })
  const ofRun = { ...ANY_EVENT, runId: runOf(MIDDLE) }
  await holds('listEvents', { scope: DEFAULT, filter: ofRun, page: PAGE }, { by: ['events_run'], rows: few })
  await holds('listRunEvents', { run: Math.floor(MIDDLE / 20), after: 0, limit: 50 }, { by: ['events_run'], rows: few })
})

test('deliveries', async () => {
  const few = 4 * PAGE.limit
  const list = (filter: Partial<typeof ANY_DELIVERY>, scope = LIVE) => ({
    ...{ scope, filter: { ...ANY_DELIVERY, ...filter }, page: PAGE },
  })
  await holds('listDeliveries', list({}), { by: ['deliveries_pkey'], rows: few })
  await holds('listDeliveries', list({ endpointId: anEndpoint() }), { by: ['deliveries_endpoint'], rows: few })
  await holds('listDeliveries', list({ runId: runOf(MIDDLE) }), { by: ['events_run', 'deliveries_event'], rows: few })
  await holds('listDeliveries', list({ deadLetters: true }), { by: ['dead_letters_pkey'], rows: few })
  await holds('listDeliveries', list({ statuses: ['pending'] }), { by: ['queue_pkey'], rows: few })
  const atEndpoint = list({ statuses: ['pending'], endpointId: anEndpoint() })
  await holds('listDeliveries', atEndpoint, { by: ['queue_pkey'], rows: PAGE.limit * ENDPOINTS + ENDPOINTS })
  await holds('listDeliveries', list({ eventPosition: MIDDLE * 2 - 1 }), { by: ['deliveries_event'], rows: few })
})

test('runs', async () => {
  const any = { statuses: [], agentId: null, taskId: null, parentRunId: null, since: null, until: null }
  await holds('listRuns', { scope: DEFAULT, filter: any, page: PAGE }, { by: ['runs_tenant'], rows: 2000 })
  await holds(
    'listRuns',
    { scope: DEFAULT, filter: { ...any, taskId: 'task-7' }, page: PAGE },
    { by: ['runs_task'], rows: 1000 },
  )
  await holds('findRuns', { scope: DEFAULT, runId: runOf(MIDDLE) }, { by: ['runs_id', 'events_run'], rows: 200 })
})

test('the tenant that has only the oldest of all', async () => {
  const deliveries = { scope: SMALL, filter: ANY_DELIVERY, page: PAGE }
  const dead = { ...deliveries, filter: { ...ANY_DELIVERY, deadLetters: true } }
  await holds('listDeliveries', dead, { by: ['dead_letters_tenant'], rows: 4 * FEW })
  await holds('listEvents', { scope: SMALL, filter: ANY_EVENT, page: PAGE }, { by: ['events_tenant'], rows: 4 * FEW })
  await holds('listDeliveries', deliveries, { by: ['deliveries_tenant'], rows: 4 * FEW })
})

test('walks in rising position look at as many rows as a step may', async () => {
  const ended: EndedFilter = {
    ...{ statuses: ['dead_lettered'], endpointId: null, runId: null, types: [], errorCode: null },
    ...{ since: null, until: null, changedUntil: null },
  }
  const step = { after: EVENTS, upTo: 2 * EVENTS, limit: 100 }
  const survey = (filter: Partial<EndedFilter>, scope = LIVE) => ({ scope, filter: { ...ended, ...filter }, ...step })
  await holds('surveyDeliveries', survey({}), { by: ['dead_letters_pkey', 'deliveries_pkey'], rows: 400 })
  await holds('surveyDeliveries', survey({}, DEFAULT), { by: ['dead_letters_tenant'], rows: 400 })
  await holds('surveyDeliveries', survey({ endpointId: anEndpoint() }), { by: ['dead_letters_pkey'], rows: 400 })
  const delivered = { statuses: ['delivered' as const] }
  const ofEndpoint = survey({ ...delivered, endpointId: anEndpoint() })
  await holds('surveyDeliveries', ofEndpoint, { by: ['deliveries_endpoint'], rows: 400 })
  await holds('surveyDeliveries', survey(delivered), { by: ['deliveries_pkey'], rows: 400 })
  await holds('surveyDeliveries', survey(delivered, DEFAULT), { by: ['deliveries_tenant'], rows: 400 })
  const ofRun = { ...survey({ ...delivered, runId: runOf(MIDDLE) }), after: 0 }
  await holds('surveyDeliveries', ofRun, { by: ['events_run', 'deliveries_event'], rows: 400 })
  const scan = { filter: ANY_EVENT, maxBytes: 1e9, ...step }
  await holds('scanEvents', { scope: LIVE, ...scan }, { by: ['events_pkey'], rows: 400 })
  await holds('scanEvents', { scope: DEFAULT, ...scan }, { by: ['events_tenant'], rows: 400 })
})

test('retention walks from its mark', async () => {
  const round = { mode: 'live', before: T0 - EVENTS * 500, now: T0, limit: 100, again: null } as const
  for (const what of ['payloads', 'attempts', 'idempotency', 'events'] as const) {
    await holds('prune', { ...round, what }, { by: ['events_pkey'], rows: 4000 })
  }
})
