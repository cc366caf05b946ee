import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { until } from '../../../../../tests/support/until.ts'
import { PostgresHarness } from '../../../test/postgres-harness.ts'
import { acceptItem, endpointRow, LEASE_MS, T0, target } from '../conformance/builders.ts'
import { StoreUnavailable, type Store } from '../store.ts'
import { lockKey } from './locks.ts'
import { openPostgresStore } from './postgres-store.ts'

const harness = new PostgresHarness()
const NODE = 'node-a'
let store: Store
let cleanup: () => Promise<void>

beforeAll(async () => void (await harness.database()), 60_000)
beforeEach(async () => {
  const made = await harness.make()
  store = made.store
  cleanup = made.cleanup
  await store.joinNode({ nodeId: NODE, leaseMs: LEASE_MS })
})
afterEach(() => cleanup())
afterAll(() => harness.close())

async function publish(): Promise<number> {
  const endpoint = endpointRow()
  const { configVersion } = (await store.createEndpoint({ endpoint, maxPerTenant: 500 })) as { configVersion: number }
  const item = { ...acceptItem({ targets: [target(endpoint.id)] }), configVersion }
  const [result] = await store.acceptEvents({ nodeId: NODE, recordedAt: T0, runEventBudget: 1000, items: [item] })
  if (result?.kind !== 'accepted') throw new Error(`not accepted: ${result?.kind}`)
  return result.deliveryPositions[0] as number
}

/** A claim whose connection has broken on the node's side, and which the database is still about to commit. */
async function claimOnItsWay(url: string, position: number): Promise<Client> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query('SET search_path = runbell; BEGIN')
  await client.query('SELECT pg_advisory_xact_lock_shared($1, $2)', [...lockKey('runbell', 'config')])
  const node = '(SELECT ref FROM nodes WHERE node_id = $3)'
  const claim = `UPDATE queue SET node = ${node}, started_at = $2, due_at = NULL WHERE delivery = $1`
  await client.query(claim, [position, T0, NODE])
  await client.query('UPDATE deliveries SET attempt_count = 1 WHERE position = $1', [position])
  return client
}

test('a claim that is committed after its connection broke is found, however late', async () => {
  const { url, query } = await harness.database()
  const position = await publish()
  const late = await claimOnItsWay(url, position)
  let answered = false
  const found = store.findClaims({ nodeId: NODE, limit: 10 }).finally(() => (answered = true))
  await until(
    'it waits, or has answered',
    () => query(`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`),
    (rows) => answered || rows.length > 0,
  )
  await late.query('COMMIT')
  await late.end()
  expect(await found).toEqual([{ position, number: 1 }])
})

test('a store that is closed while it begins to listen is closed', { timeout: 20_000 }, async () => {
  const { url } = await harness.database()
  for (let times = 0; times < 5; times++) {
    const listening = await openPostgresStore({ url, onHint: () => {} })
    await listening.close()
  }
})

/** A way to the database on which everything that is under way can be made to go nowhere, as when a machine is gone. */
async function swallowing(url: string) {
  const sockets = new Set<Socket>()
  const server = createServer((inside) => {
    const outside = connect(Number(new URL(url).port), '127.0.0.1')
    for (const [from, to] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {}).on('close', () => to.destroy())
      from.pipe(to)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const through = new URL(url)
  through.port = String((server.address() as AddressInfo).port)
  return {
    url: through.href,
    swallow() {
      for (const socket of sockets) socket.unpipe().on('data', () => {})
    },
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

test('a database that falls silent is unavailable, and used again over new connections', async () => {
  const way = await swallowing((await harness.database()).url)
  const silent = await openPostgresStore({ url: way.url, answerTimeoutMs: 300 })
  const ask = () => silent.findApiKey({ keyId: 'none' })
  try {
    await Promise.all([ask(), ask(), ask()])
    way.swallow()
    await expect(ask()).rejects.toThrow(StoreUnavailable)
    await until(
      'it is asked over connections that answer',
      () => ask().catch(() => null),
      (answer) => answer?.key === null,
    )
  } finally {
    way.close()
    await silent.close()
  }
})
