import { createServer, connect, type Server, type Socket } from 'node:net'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startPostgresServer, type PostgresServer } from '../../../../../tests/support/postgres-server.ts'
import { until } from '../../../../../tests/support/until.ts'
import { acceptItem, attemptRecord, endpointRow, LEASE_MS, LIVE, T0, target } from '../conformance/builders.ts'
import type { AcceptItem, AcceptResult } from '../accept.ts'
import { StoreUnavailable, type Store } from '../store.ts'
import type { Hint } from './hint-channel.ts'
import { openPostgresStore, type PostgresStoreOptions } from './postgres-store.ts'

/*
 * Guarantee G16 at the level of the store: whatever happens to the database, a verb has done what it says or rejects with
 * `StoreUnavailable`, and the store works again by itself. The server is this file's own, because it is ended.
 */

const NODE = 'node-a'
const READ_BACK = 'SELECT event_id, count(*)::integer AS count FROM runbell.events GROUP BY event_id'

let server: PostgresServer
const closing: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  server = await startPostgresServer()
}, 60_000)

afterAll(() => server.remove())

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** A database of its own with a store, a node and an endpoint on it; `admin` looks at it from outside. */
async function setUp(options: Omit<PostgresStoreOptions, 'url'> & { throughPort?: number; query?: string } = {}) {
  const { throughPort, query = '', ...given } = options
  const name = `outage_${Math.random().toString(36).slice(2)}`
  const main = await connectAdmin(server.url)
  await main.query(`CREATE DATABASE ${name}`)
  await main.end()
  const url = new URL(server.url)
  url.pathname = `/${name}`
  const admin = await connectAdmin(url.href)
  url.search = query
  if (throughPort !== undefined) url.port = String(throughPort)
  const store = await openPostgresStore({ url: url.href, ...given })
  closing.push(
    () => admin.end().catch(() => {}),
    () => store.close(),
  )
  await store.joinNode({ nodeId: NODE, leaseMs: LEASE_MS * 10 })
  const endpoint = endpointRow()
  const made = await store.createEndpoint({ endpoint, maxPerTenant: 500 })
  return { store, admin, url: url.href, endpointId: endpoint.id, configVersion: made?.configVersion ?? 0 }
}

async function connectAdmin(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, application_name: 'outside' })
  client.on('error', () => {})
  await client.connect()
  return client
}

type Ground = Awaited<ReturnType<typeof setUp>>

function accept(store: Store, items: AcceptItem[]): Promise<AcceptResult[]> {
  return store.acceptEvents({ nodeId: NODE, recordedAt: T0, runEventBudget: 100_000, items })
}

function itemFor({ endpointId, configVersion }: Ground, runId: string): AcceptItem {
  return { ...acceptItem({ runId, targets: [target(endpointId)] }), configVersion }
}

/** Again and again until it works; anything but `StoreUnavailable` is thrown. */
async function insist<Result>(work: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      expect(error).toBeInstanceOf(StoreUnavailable)
      // A store that is away is asked in the next turn of the loop at the earliest.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

/** Publishes so many events, each until it is acknowledged. */
async function publish(ground: Ground, runId: string, count: number, acknowledged: Set<string>): Promise<void> {
  for (let made = 0; made < count; made++) {
    const item = itemFor(ground, runId)
    const [result] = await insist(() => accept(ground.store, [item]))
    expect(['accepted', 'duplicate']).toContain(result?.kind)
    acknowledged.add(item.eventId)
  }
}

/** Delivers what is due until so many outcomes are acknowledged. */
async function deliver({ store, endpointId }: Ground, count: number, recorded: Set<number>): Promise<void> {
  while (recorded.size < count) {
    const requests = [{ endpointId, limit: 5 }]
    const { claims } = await insist(() => store.claimDue({ nodeId: NODE, now: T0 + 1, requests }))
    const records = claims.map((claim) => attemptRecord(claim))
    if (records.length > 0) {
      await insist(() => store.recordAttempts({ nodeId: NODE, now: T0 + 2, records }))
      for (const { position } of claims) recorded.add(position)
    }
    // Claimed by a call that rejected: the node holds them without knowing, and gives them back.
    const held = await insist(() => store.findClaims({ nodeId: NODE, limit: 1000 }))
    const strays = held.map((claim) => ({ ...claim, dueAt: T0 }))
    if (strays.length > 0) await insist(() => store.releaseClaims({ nodeId: NODE, now: T0 + 3, claims: strays }))
  }
}

describe('G16: sessions that are ended under work', () => {
  test('lose nothing that was acknowledged, and nothing is there twice', { timeout: 60_000 }, async () => {
    const ground = await setUp({ poolSize: 6 })
    const acknowledged = new Set<string>()
    const recorded = new Set<number>()
    const [writers, each, rounds] = [4, 20, 15]
    const work = Promise.all([
      ...Array.from({ length: writers }, (_, index) => publish(ground, `run-${index % 2}`, each, acknowledged)),
      deliver(ground, writers * each, recorded),
    ])
    const done = { yes: false }
    void work.finally(() => (done.yes = true)).catch(() => {})
    for (let round = 1; round <= rounds && !done.yes; round++) {
      // After a few more are acknowledged, so that each finds transactions at another place.
      const goal = Math.min(writers * each, round * 4)
      await until('some are acknowledged', () => done.yes || acknowledged.size >= goal, Boolean)
      await ground.admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'runbell' AND datname = current_database()`)
    }
    await work
    const { rows } = await ground.admin.query<{ event_id: string; count: number }>(READ_BACK)
    expect(new Set(rows.map(({ event_id }) => event_id))).toEqual(acknowledged)
    expect(rows.filter(({ count }) => count !== 1)).toEqual([])
    const { rows: gaps } = await ground.admin.query(`SELECT run, max(sequence) AS last, count(*)::integer AS count
      FROM runbell.events GROUP BY run HAVING max(sequence) <> count(*) OR count(DISTINCT sequence) <> count(*)`)
    expect(gaps).toEqual([])
    const { rows: open } = await ground.admin.query(`SELECT position FROM runbell.deliveries WHERE status <> 1
      UNION ALL SELECT delivery FROM runbell.queue`)
    expect(open).toEqual([])
  })
})

describe('G16: a database that stops', () => {
  test('is unavailable and not broken; the store goes on by itself when it is back', { timeout: 60_000 }, async () => {
    const hints: Hint[] = []
    const ground = await setUp({ onHint: (hint) => hints.push(hint) })
    const { store } = ground
    const before = itemFor(ground, 'run-1')
    expect(await accept(store, [before])).toMatchObject([{ kind: 'accepted' }])
    const underWay = [0, 1, 2, 3].map(() => {
      const item = itemFor(ground, 'run-2')
      return accept(store, [item]).then(
        () => item.eventId,
        (error: unknown) => error,
      )
    })
    await server.kill()
    const ends = await Promise.all(underWay)
    const acknowledged = ends.filter((end) => typeof end === 'string')
    for (const end of ends) if (typeof end !== 'string') expect(end).toBeInstanceOf(StoreUnavailable)
    for (const verb of [
      () => accept(store, [itemFor(ground, 'run-3')]),
      () => store.recordAttempts({ nodeId: NODE, now: T0, records: [] }),
      () => store.listEvents({ scope: LIVE, filter: NO_FILTER, page: { limit: 1, after: null } }),
      () => store.heartbeat({ nodeId: NODE, leaseMs: LEASE_MS, highWater: 0 }),
    ]) {
      await expect(verb()).rejects.toMatchObject({ name: 'StoreUnavailable', code: 'unavailable' })
    }
    hints.length = 0
    await server.start()
    const back = performance.now()
    await insist(() => accept(store, [itemFor(ground, 'run-4')]))
    expect(performance.now() - back).toBeLessThan(15_000)
    const listed = await store.listEvents({ scope: LIVE, filter: NO_FILTER, page: { limit: 100, after: null } })
    expect(listed.rows.map(({ eventId }) => eventId)).toEqual(expect.arrayContaining([before.eventId, ...acknowledged]))
    await until(
      'it listens again',
      () => hints,
      (heard) => heard.some(({ wake }) => wake === true),
    )
  })
})

const NO_FILTER = { types: [], runId: null, since: null, until: null }

describe('a database that is slow, or full', () => {
  test('sessions have limits, and a statement that is cut off is unavailable', async () => {
    const ground = await setUp()
    const { admin, store } = ground
    await admin.query('BEGIN; LOCK TABLE runbell.events')
    const cut = expect(accept(store, [itemFor(ground, 'run-1')])).rejects.toMatchObject({ code: 'unavailable' })
    // As the limit would.
    const CANCEL = `SELECT pg_cancel_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'runbell' AND datname = current_database() AND wait_event = 'relation'`
    await until(
      'it waits and is cut off',
      async () => (await admin.query(CANCEL)).rowCount ?? 0,
      (found) => found > 0,
    )
    await cut
    await admin.query('ROLLBACK')
    expect(await accept(store, [itemFor(ground, 'run-1')])).toMatchObject([{ kind: 'accepted', sequence: 1 }])
  })

  test('more calls than connections wait, for a limited time; a full pool is no outage', async () => {
    const ground = await setUp({ poolSize: 2, query: '?connect_timeout=1' })
    const { admin, store } = ground
    await admin.query('BEGIN; LOCK TABLE runbell.events')
    const working = [1, 2].map((run) => accept(store, [itemFor(ground, `run-${run}`)]))
    await expect(store.loadEndpoints({ endpointIds: [] })).rejects.toMatchObject({
      ...{ name: 'StoreUnavailable', code: 'unavailable', message: 'all 2 connections to the database are in use' },
    })
    const waiting = [1, 2, 3, 4].map(() => store.loadEndpoints({ endpointIds: [] }))
    await admin.query('ROLLBACK')
    expect((await Promise.all(working)).flat()).toMatchObject([{ kind: 'accepted' }, { kind: 'accepted' }])
    expect(await Promise.all(waiting)).toHaveLength(4)
  })

  test('a full disk is storage_full; what only reads goes on, and so does everything once there is space', async () => {
    const ground = await setUp()
    const { admin, store } = ground
    await admin.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON runbell.events EXECUTE FUNCTION refuse()`)
    const item = itemFor(ground, 'run-1')
    await expect(accept(store, [item])).rejects.toMatchObject({ name: 'StoreUnavailable', code: 'storage_full' })
    expect(await store.findRuns({ scope: LIVE, runId: 'run-1' })).toEqual([])
    await admin.query('DROP TRIGGER refuse ON runbell.events')
    expect(await accept(store, [item])).toMatchObject([{ kind: 'accepted', sequence: 1 }])
  })

  test('a connection that the network swallows is given up, and another one is made', async () => {
    const network = await startNetwork(server.port)
    closing.push(() => network.close())
    const ground = await setUp({ throughPort: network.port, answerTimeoutMs: 500, poolSize: 2 })
    network.swallow()
    await expect(accept(ground.store, [itemFor(ground, 'run-1')])).rejects.toMatchObject({ code: 'unavailable' })
    network.restore()
    const item = itemFor(ground, 'run-1')
    const [result] = await insist(() => accept(ground.store, [item]))
    expect(['accepted', 'duplicate']).toContain(result?.kind)
  })
})

interface Network {
  port: number
  /** What is sent from now on over connections that are there is lost, and nobody is told. */
  swallow(): void
  /** Connections that are made from now on work. */
  restore(): void
  close(): Promise<void>
}

async function startNetwork(to: number): Promise<Network> {
  const sockets = new Set<Socket>()
  let isSwallowing = false
  const front: Server = createServer((near) => {
    const far = connect(to, '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
    }
    near.on('data', (bytes) => void (isSwallowing || far.write(bytes)))
    far.on('data', (bytes) => void near.write(bytes))
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  })
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  return {
    port: (front.address() as { port: number }).port,
    swallow: () => (isSwallowing = true),
    restore: () => (isSwallowing = false),
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => front.close(resolve))
    },
  }
}
