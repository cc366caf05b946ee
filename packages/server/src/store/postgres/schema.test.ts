import { randomBytes } from 'node:crypto'
import { afterAll, expect, test } from 'vitest'
import { until } from '../../../../../tests/support/until.ts'
import { PostgresHarness } from '../../../test/postgres-harness.ts'
import type { Hint } from './hint-channel.ts'
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

test('a user needs no more than a schema of its own, or leave to make one', async () => {
  const { url, query } = await harness.database()
  const user = `plain_${randomBytes(4).toString('hex')}`
  await query(`CREATE ROLE ${user} LOGIN PASSWORD 'secret'`)
  try {
    const as = new URL(url)
    as.username = user
    as.password = 'secret'
    const schema = `of_${user}`
    await expect(openPostgresStore({ url: as.href, schema })).rejects.toThrow(
      /may not make its tables.*grant it CREATE/,
    )
    await query(`CREATE SCHEMA ${schema} AUTHORIZATION ${user}`)
    const hints: Hint[] = []
    const store = await openPostgresStore({ url: as.href, schema, onHint: (hint) => hints.push(hint) })
    expect(await store.joinNode({ nodeId: 'n', leaseMs: 1000 })).toMatchObject({ alive: true })
    await until(
      'it listens',
      () => hints.length,
      (heard) => heard > 0,
    )
    await store.close()
  } finally {
    await query(`DROP OWNED BY ${user} CASCADE; DROP ROLE ${user}`)
  }
})
