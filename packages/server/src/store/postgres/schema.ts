import { readFileSync } from 'node:fs'
import type { ClientBase } from 'pg'
import { SchemaTooNew } from './start-errors.ts'

/**
 * The migrations, oldest first, each in a file of SQL beside this one. Append only: a database remembers how many it has
 * had, and one that has had more than this program knows is refused.
 */
const MIGRATIONS: readonly string[] = [
  '0001-base.sql',
  '0002-moves.sql',
  '0003-tenants.sql',
  '0004-dead-letters.sql',
  '0005-diagnostics.sql',
  '0006-bulk-replays.sql',
  '0007-approvals.sql',
  '0008-kinds.sql',
  '0009-notices.sql',
  '0010-ordering.sql',
].map((name) => readFileSync(new URL(`./migrations/${name}`, import.meta.url), 'utf8'))

/** How many there are. */
export const KNOWN_SCHEMA = MIGRATIONS.length

/**
 * Brings the schema up to date, in one transaction. Nodes that start at the same time do it one after the other: all but the
 * first find nothing left to do.
 * @param lock key of the advisory lock
 * @throws SchemaTooNew
 */
export async function migrate(client: ClientBase, schema: string, lock: readonly [number, number]): Promise<void> {
  await client.query('BEGIN')
  try {
    // It may take long, and so may the node that is at it now.
    await client.query('SET LOCAL statement_timeout = 0')
    await client.query('SET LOCAL lock_timeout = 0')
    await client.query('SELECT pg_advisory_xact_lock($1, $2)', [...lock])
    await createSchema(client, schema)
    await client.query('CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)')
    const { rows } = await client.query<{ version: number }>('SELECT version FROM schema_version')
    const version = rows[0]?.version ?? 0
    if (version > MIGRATIONS.length) throw new SchemaTooNew(version, MIGRATIONS.length)
    for (const migration of MIGRATIONS.slice(version)) await client.query(migration)
    if (rows.length === 0) await client.query('INSERT INTO schema_version VALUES ($1)', [MIGRATIONS.length])
    else if (version < MIGRATIONS.length)
      await client.query('UPDATE schema_version SET version = $1', [MIGRATIONS.length])
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}

/** Asked for only where it is missing: who may use a schema may not always make one. */
async function createSchema(client: ClientBase, schema: string): Promise<void> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema])
  if (rowCount === 0) await client.query(`CREATE SCHEMA ${client.escapeIdentifier(schema)}`)
}
