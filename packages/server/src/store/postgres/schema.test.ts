import { afterAll, expect, test } from 'vitest'
import { PostgresHarness } from '../../../test/postgres-harness.ts'
import { openPostgresStore } from './postgres-store.ts'

const harness = new PostgresHarness()
afterAll(() => harness.close())

test('four nodes that start at once on an empty database make its schema once', async () => {
  const { url } = await harness.database()
  const stores = await Promise.all(Array.from({ length: 4 }, () => openPostgresStore({ url, schema: 'at_once' })))
  const states = await Promise.all(stores.map((store, index) => store.joinNode({ nodeId: `n${index}`, leaseMs: 1000 })))
  expect(states).toEqual(stores.map(() => ({ alive: true, configVersion: 1, highWater: 0 })))
  await Promise.all(stores.map((store) => store.close()))
})

test('a database of a newer version is refused and left as it is', async () => {
  const database = await harness.database()
  await (await openPostgresStore({ url: database.url, schema: 'newer' })).close()
  await database.query('UPDATE newer.schema_version SET version = 9999')
  await expect(openPostgresStore({ url: database.url, schema: 'newer' })).rejects.toThrow(/newer Runbell.*upgrade/)
  expect(await database.query('SELECT version FROM newer.schema_version')).toEqual([{ version: 9999 }])
})
