import type { BulkReplayView } from '@runbell/sdk/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { anEvent, createEndpoint, get, newType, post } from '../support/client.ts'
import { registerOwnTypes } from '../support/own-types.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres-database.ts'
import { startReceiver, type Receiver } from '../support/receiver.ts'
import { ADMIN_KEY, startNode, TEST_ADMIN_KEY, type ServerProcess } from '../support/server-process.ts'
import { until } from '../support/until.ts'

const ENDPOINTS = 10
const EVENTS = 40
const FAILED = ENDPOINTS * EVENTS

let database: TestDatabase
let receiver: Receiver
let isDown = true
const nodes: ServerProcess[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  receiver = await startReceiver(() => (isDown ? 503 : 204))
  await registerOwnTypes((await start()).url, [ADMIN_KEY, TEST_ADMIN_KEY])
}, 120_000)

afterAll(async () => {
  await Promise.all(nodes.map((node) => node.end('SIGKILL')))
  await receiver.close()
  await database.drop()
})

async function start(): Promise<ServerProcess> {
  const node = await startNode(database.url)
  nodes.push(node)
  return node
}

/** A node that was killed loses what it holds 90 s after it was last heard of; here it is sooner. */
async function endLease(nodeId: string): Promise<void> {
  await database.query(
    `UPDATE runbell.nodes SET lease_until = clock_timestamp() - interval '1 second' WHERE node_id = $1`,
    [nodeId],
  )
}

async function holder(): Promise<string> {
  const [row] = await database.query('SELECT node_id FROM runbell.bulk_replays')
  return row?.['node_id'] as string
}

test('of two nodes the one that works on a bulk replay is killed: the other goes on, each delivery once and none missed', async () => {
  const [one] = nodes as [ServerProcess]
  const type = newType()
  for (let count = 0; count < ENDPOINTS; count++) {
    await createEndpoint(one, receiver.url, type, { retry_schedule: [] })
  }
  const events = Array.from({ length: EVENTS }, () => anEvent(type))
  await post(one, '/v1/events/batch', events)
  const count = () => get<{ data: { count: number }[] }>(one, '/v1/dead-letters?group_by=type')
  await until('everything has failed', count, ({ data }) => data[0]?.count === FAILED, 60_000)
  isDown = false

  await start()
  const joined = await database.query('SELECT node_id FROM runbell.nodes ORDER BY ref')
  const { id } = await post<BulkReplayView>(one, '/v1/replays', { rate_per_second: 40 })
  const shown = (node: ServerProcess) => get<BulkReplayView>(node, `/v1/replays/${id}`)
  await until(
    'it goes on',
    () => shown(one),
    ({ replayed }) => replayed > 20,
  )
  // Two nodes, and one of them works on it.
  const first = await holder()
  const worker = joined.findIndex((row) => row['node_id'] === first)
  await nodes[worker]?.end('SIGKILL')
  const two = nodes[1 - worker] as ServerProcess
  expect((await shown(two)).status).toBe('running')
  await endLease(first)
  const done = await until(
    'all of it has ended',
    () => shown(two),
    ({ status, outcomes }) => status === 'completed' && outcomes.pending === 0,
    60_000,
  )
  expect(await holder()).not.toBe(first)
  expect(done).toMatchObject({ matched: FAILED, replayed: FAILED, outcomes: { delivered: FAILED } })
  const rows = await database.query(
    `SELECT d.id, d.status, d.replays, d.attempt_count,
       (SELECT count(*)::integer FROM runbell.attempts a WHERE a.delivery = d.position AND a.outcome = 9) AS unknown
     FROM runbell.deliveries d`,
  )
  expect(rows).toHaveLength(FAILED)
  const isOnce = (row: Record<string, unknown>) =>
    row['status'] === 1 && row['replays'] === 1 && row['attempt_count'] === 2 + (row['unknown'] as number)
  expect(rows.filter((row) => !isOnce(row))).toEqual([])
}, 180_000)
