import { DatabaseSync } from 'node:sqlite'
import { Client, Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../../../tests/support/postgres-database.ts'
import {
  MemoryDuplicateStore,
  PostgresDuplicateStore,
  RedisDuplicateStore,
  SqliteDuplicateStore,
  type DuplicateStore,
} from '../index.ts'

const RETENTION_MS = 10_000
const clock = { now: 1_795_456_935_000 }
const options = { retentionMs: RETENTION_MS, now: () => clock.now }

/** The commands the store sends, as Redis answers them. */
function fakeRedis() {
  const values = new Map<string, { value: string; until: number }>()
  const read = (key: string) => {
    const found = values.get(key)
    return found === undefined || found.until <= clock.now ? null : found.value
  }
  return async ([command, ...args]: string[]): Promise<unknown> => {
    if (command === 'GET') return read(args[0] ?? '')
    if (command === 'EVAL') {
      const key = args[2] ?? ''
      return read(key) === 'claimed' && values.delete(key) ? 1 : 0
    }
    const [key = '', value = ''] = args
    if (args.includes('NX') && read(key) !== null) return null
    values.set(key, { value, until: clock.now + Number(args.at(-1)) })
    return 'OK'
  }
}

let postgres: TestDatabase
let client: Client
let pool: Pool
let other: Client
beforeAll(async () => {
  postgres = await createTestDatabase()
  client = new Client({ connectionString: postgres.url })
  other = new Client({ connectionString: postgres.url })
  pool = new Pool({ connectionString: postgres.url, max: 3 })
  await Promise.all([client.connect(), other.connect()])
}, 60_000)
afterAll(async () => {
  await client?.end()
  await other?.end()
  await pool?.end()
  await postgres?.drop()
})

describe.each<[string, () => Promise<DuplicateStore>]>([
  ['memory', () => Promise.resolve(new MemoryDuplicateStore(options))],
  ['SQLite', () => Promise.resolve(new SqliteDuplicateStore(new DatabaseSync(':memory:'), options))],
  ['Redis', () => Promise.resolve(new RedisDuplicateStore(fakeRedis(), options))],
  [
    'Postgres',
    async () => {
      const store = new PostgresDuplicateStore(pool, options)
      await pool.query('DROP TABLE IF EXISTS runbell_handled')
      await store.createTable()
      await store.createTable()
      return store
    },
  ],
])('the %s store', (_name, make) => {
  it('gives a claim to one, and remembers what is done', async () => {
    const store = await make()
    const claims = await Promise.all([1, 2, 3].map(() => store.claim('evt_1', 100)))
    expect(claims.toSorted()).toEqual(['busy', 'busy', 'claimed'])
    await store.done('evt_1')
    expect(await store.claim('evt_1', 100)).toBe('done')
    await store.release('evt_1')
    expect(await store.claim('evt_1', 100)).toBe('done')
    expect(await store.claim('evt_2', 100)).toBe('claimed')
  })

  it('gives it again when it was released, and when it has expired', async () => {
    const store = await make()
    await store.claim('evt_1', 100)
    await store.release('evt_1')
    expect(await store.claim('evt_1', 100)).toBe('claimed')
    clock.now += 99
    expect(await store.claim('evt_1', 100)).toBe('busy')
    clock.now += 1
    expect(await store.claim('evt_1', 100)).toBe('claimed')
  })

  it('keeps done what is done after its claim had expired, and forgets it after the retention', async () => {
    const store = await make()
    await store.claim('evt_1', 100)
    clock.now += 100
    await store.claim('evt_1', 100)
    await store.done('evt_1')
    expect(await store.claim('evt_1', 100)).toBe('done')
    clock.now += RETENTION_MS
    expect(await store.claim('evt_1', 100)).toBe('claimed')
  })
})

describe('effects in the transaction that remembers them', () => {
  it('happen once in Postgres, although two handle the event at the same time', async () => {
    const store = new PostgresDuplicateStore(client, { table: 'once_only' })
    await store.createTable()
    await client.query('CREATE TABLE effects (id text)')
    const handle = async (transaction: Client) => {
      await transaction.query('BEGIN')
      if (await store.markDone('evt_1', transaction)) await transaction.query(`INSERT INTO effects VALUES ('evt_1')`)
      await transaction.query('COMMIT')
    }
    await Promise.all([handle(client), handle(other)])
    expect((await client.query('SELECT * FROM effects')).rows).toHaveLength(1)
    await other.query('BEGIN')
    expect(await store.markDone('evt_2', other)).toBe(true)
    await other.query('ROLLBACK')
    expect(await store.markDone('evt_2')).toBe(true)
  })

  it('happen once in SQLite, and not where the transaction was rolled back', () => {
    const database = new DatabaseSync(':memory:')
    const store = new SqliteDuplicateStore(database)
    database.exec('BEGIN')
    expect(store.markDone('evt_1')).toBe(true)
    database.exec('ROLLBACK')
    expect([store.markDone('evt_1'), store.markDone('evt_1')]).toEqual([true, false])
  })

  it('are remembered by stores over one file', async () => {
    const database = new DatabaseSync(':memory:')
    const [one, two] = [new SqliteDuplicateStore(database), new SqliteDuplicateStore(database)]
    await one.claim('evt_1', 1000)
    expect(two.markDone('evt_1')).toBe(true)
    expect(await one.claim('evt_1', 1000)).toBe('done')
  })
})

it('options that cannot be are refused', () => {
  const database = new DatabaseSync(':memory:')
  for (const wrong of [{ table: 'a; DROP TABLE b' }, { table: '' }, { retentionMs: 0 }]) {
    expect(() => new SqliteDuplicateStore(database, wrong)).toThrow(TypeError)
    expect(() => new PostgresDuplicateStore({ query: () => Promise.resolve({ rows: [] }) }, wrong)).toThrow(TypeError)
  }
  expect(() => new RedisDuplicateStore(fakeRedis(), { retentionMs: 0 })).toThrow(TypeError)
})
