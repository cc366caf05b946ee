import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectOrder } from '../support/ordered-runs.ts'
import { registerOwnTypes } from '../support/own-types.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres-database.ts'
import { ADMIN_KEY, startNode, TEST_ADMIN_KEY, type ServerProcess } from '../support/server-process.ts'

let database: TestDatabase
let nodes: ServerProcess[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  nodes = [await startNode(database.url)]
  nodes.push(await startNode(database.url))
  await registerOwnTypes((nodes[0] as ServerProcess).url, [ADMIN_KEY, TEST_ADMIN_KEY])
}, 90_000)

afterAll(async () => {
  await Promise.all(nodes.map((node) => node.end('SIGKILL')))
  await database.drop()
})

test('G10: an ordered endpoint gets each run in order from two nodes, and runs do not wait for each other', async () => {
  await expectOrder(() => nodes)
  // No turn is left lying about, and nothing waits that has nobody before it.
  const [row] = await database.query(
    `SELECT count(*) FILTER (WHERE q.due_at = 8640000000000000 AND NOT EXISTS (
       SELECT 1 FROM runbell.queue h WHERE h.endpoint = q.endpoint AND h.lane = q.lane
         AND h.due_at IS DISTINCT FROM 8640000000000000)) AS stuck FROM runbell.queue q`,
  )
  expect(Number(row?.['stuck'])).toBe(0)
}, 180_000)
