import type { Claim, DuplicateStore } from '../duplicate-store.ts'
import { readSqlOptions, type SqlStoreOptions, type SqlStoreSettings } from './sql-options.ts'

/** What is needed of a `pg` Pool or Client, or of anything else that runs a statement with `$1`. */
export interface PostgresClient {
  query(text: string, values: unknown[]): Promise<{ rows: unknown[] }>
}

/** Remembers handled events in a table of a Postgres database. Any number of processes may share it. */
export class PostgresDuplicateStore implements DuplicateStore {
  readonly #settings: SqlStoreSettings
  readonly #client: PostgresClient

  /** @throws TypeError for an option that cannot be */
  constructor(client: PostgresClient, options: SqlStoreOptions = {}) {
    this.#settings = readSqlOptions(options)
    this.#client = client
  }

  /** Makes the table where it is not there. Run it once, or put what it does into your migrations. */
  async createTable(): Promise<void> {
    const { table } = this.#settings
    await this.#client.query(
      `CREATE TABLE IF NOT EXISTS ${table} (id text PRIMARY KEY, is_done boolean NOT NULL, until bigint NOT NULL)`,
      [],
    )
    await this.#client.query(`CREATE INDEX IF NOT EXISTS ${table}_until ON ${table} (until)`, [])
  }

  async claim(id: string, ttlMs: number): Promise<Claim> {
    const { table, now } = this.#settings
    const time = now()
    const claimed = await this.#client.query(
      `INSERT INTO ${table} AS t (id, is_done, until) VALUES ($1, false, $2)
       ON CONFLICT (id) DO UPDATE SET is_done = false, until = excluded.until WHERE t.until <= $3 RETURNING id`,
      [id, time + ttlMs, time],
    )
    if (claimed.rows.length === 1) return 'claimed'
    const { rows } = await this.#client.query(`SELECT is_done FROM ${table} WHERE id = $1`, [id])
    // Released in between: the sender comes again.
    return (rows[0] as { is_done: boolean } | undefined)?.is_done === true ? 'done' : 'busy'
  }

  async done(id: string): Promise<void> {
    const { table, now } = this.#settings
    await this.markDone(id)
    // A few at a time, so that no handler waits for it; what another process forgets is left to that.
    await this.#client.query(
      `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE until <= $1 LIMIT 100 FOR UPDATE SKIP LOCKED)`,
      [now()],
    )
  }

  async release(id: string): Promise<void> {
    await this.#client.query(`DELETE FROM ${this.#settings.table} WHERE id = $1 AND NOT is_done`, [id])
  }

  /**
   * For effects that happen exactly once: call it first in the transaction that makes them. `false`: they were made before,
   * and nothing is to be done. Another transaction that is about to do the same waits here until this one has ended.
   * @param client the one the transaction is open on. @default that of the store
   */
  async markDone(id: string, client: PostgresClient = this.#client): Promise<boolean> {
    const { table, retentionMs, now } = this.#settings
    const time = now()
    const { rows } = await client.query(
      `INSERT INTO ${table} AS t (id, is_done, until) VALUES ($1, true, $2)
       ON CONFLICT (id) DO UPDATE SET is_done = true, until = excluded.until
       WHERE NOT t.is_done OR t.until <= $3 RETURNING id`,
      [id, time + retentionMs, time],
    )
    return rows.length === 1
  }
}
