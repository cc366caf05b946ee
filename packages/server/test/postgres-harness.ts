import { createTestDatabase, type TestDatabase } from '../../../tests/support/postgres-database.ts'
import type { StoreHarness } from '../src/store/conformance/index.ts'
import { openPostgresStore } from '../src/store/postgres/postgres-store.ts'
import type { Store } from '../src/store/store.ts'

/** Where a test's tables are: the default. */
const SCHEMA = 'runbell'

/**
 * One database for a test file, emptied after each test: that takes a few milliseconds, and making another one a hundred.
 * Call `close` after the last test.
 */
export class PostgresHarness {
  #database: Promise<TestDatabase> | null = null
  #store: Store | null = null

  /** The store, open, on an empty database. */
  async make(): Promise<StoreHarness> {
    const database = await this.database()
    this.#store ??= await openPostgresStore({ url: database.url })
    return {
      store: this.#store,
      reopen: () => this.#reopen(database),
      advanceLease: async (ms) => {
        await database.query(`UPDATE ${SCHEMA}.nodes SET lease_until = lease_until - make_interval(secs => $1)`, [
          ms / 1000,
        ])
      },
      cleanup: () => empty(database),
    }
  }

  database(): Promise<TestDatabase> {
    this.#database ??= createTestDatabase()
    return this.#database
  }

  async close(): Promise<void> {
    await this.#store?.close()
    await (await this.#database)?.drop()
  }

  async #reopen({ url }: TestDatabase): Promise<Store> {
    await this.#store?.close()
    this.#store = await openPostgresStore({ url })
    return this.#store
  }
}

/** Removes every row; sequences go on. Triggers, such as the one that keeps the audit log, do not run meanwhile. */
async function empty(database: TestDatabase): Promise<void> {
  const tables = await database.query(
    `SELECT tablename FROM pg_tables WHERE schemaname = $1 AND tablename <> 'schema_version'`,
    [SCHEMA],
  )
  const deletes = tables.map(({ tablename }) => `DELETE FROM ${SCHEMA}.${tablename as string};`).join('\n')
  await database.query(`SET session_replication_role = replica; ${deletes}
    INSERT INTO ${SCHEMA}.settings VALUES ('config_version', 1), ('high_water', 0)`)
}
