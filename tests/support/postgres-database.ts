import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Client } from 'pg'

export interface TestDatabase {
  /** Whose owner is a superuser. */
  url: string
  /** Runs statements on it, outside of what is tested. */
  query(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>
  /** Ends every connection to it and drops it. */
  drop(): Promise<void>
}

/**
 * A database of its own, empty, in the Postgres of this test run, or in the one whose superuser's URL is in
 * `RUNBELL_TEST_DATABASE_URL`. Call it once per test file.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = process.env['RUNBELL_TEST_DATABASE_URL'] ?? (await askForServer())
  const name = `runbell_test_${randomBytes(6).toString('hex')}`
  await once(server, `CREATE DATABASE ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  const client = new Client({ connectionString: url.href })
  client.on('error', () => {})
  await client.connect()
  return {
    url: url.href,
    query: async (sql, values = []) => (await client.query(sql, values)).rows as Record<string, unknown>[],
    async drop() {
      await client.end()
      await once(server, `DROP DATABASE ${name} WITH (FORCE)`)
    },
  }
}

async function askForServer(): Promise<string> {
  const folder = process.env['RUNBELL_TEST_RUN']
  if (folder === undefined) throw new Error('there is a Postgres only in a run of vitest with its global set-up')
  const answer = await text(connect(join(folder, 'postgres.sock')))
  if (!answer.startsWith('postgres:')) throw new Error(`no Postgres for tests: ${answer}`)
  return answer
}

async function once(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
