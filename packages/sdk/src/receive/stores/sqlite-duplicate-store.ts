import type { Claim, DuplicateStore } from '../duplicate-store.ts'
import { readSqlOptions, type SqlStoreOptions, type SqlStoreSettings } from './sql-options.ts'

/** What is needed of `node:sqlite`, `bun:sqlite` or better-sqlite3. */
export interface SqliteDatabase {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
}

interface SqliteStatement {
  run(...values: (string | number)[]): { changes: number | bigint }
  get(...values: (string | number)[]): unknown
}

/** Remembers handled events in a table of an SQLite database, which it makes. Processes may share the file. */
export class SqliteDuplicateStore implements DuplicateStore {
  readonly #settings: SqlStoreSettings
  readonly #database: SqliteDatabase

  /** @throws TypeError for an option that cannot be, and what the database throws */
  constructor(database: SqliteDatabase, options: SqlStoreOptions = {}) {
    this.#settings = readSqlOptions(options)
    this.#database = database
    const { table } = this.#settings
    database.exec(
      `CREATE TABLE IF NOT EXISTS ${table} (id TEXT PRIMARY KEY, is_done INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID`,
    )
    database.exec(`CREATE INDEX IF NOT EXISTS ${table}_until ON ${table} (until)`)
  }

  claim(id: string, ttlMs: number): Promise<Claim> {
    const { table, now } = this.#settings
    const time = now()
    const claimed = this.#database
      .prepare(
        `INSERT INTO ${table} (id, is_done, until) VALUES (?, 0, ?)
         ON CONFLICT (id) DO UPDATE SET is_done = 0, until = excluded.until WHERE ${table}.until <= ?`,
      )
      .run(id, time + ttlMs, time)
    if (Number(claimed.changes) === 1) return Promise.resolve('claimed')
    const row = this.#database.prepare(`SELECT is_done FROM ${table} WHERE id = ?`).get(id) as {
      is_done: number
    } | null
    return Promise.resolve(row?.is_done === 1 ? 'done' : 'busy')
  }

  done(id: string): Promise<void> {
    this.markDone(id)
    this.#forgetExpired()
    return Promise.resolve()
  }

  release(id: string): Promise<void> {
    this.#database.prepare(`DELETE FROM ${this.#settings.table} WHERE id = ? AND is_done = 0`).run(id)
    return Promise.resolve()
  }

  /**
   * For effects that happen exactly once: call it in the transaction that makes them. `false`: they were made before, and
   * nothing is to be done.
   * @param database the one the transaction is open on. @default that of the store
   */
  markDone(id: string, database: SqliteDatabase = this.#database): boolean {
    const { table, retentionMs, now } = this.#settings
    const time = now()
    const { changes } = database
      .prepare(
        `INSERT INTO ${table} (id, is_done, until) VALUES (?, 1, ?)
         ON CONFLICT (id) DO UPDATE SET is_done = 1, until = excluded.until
         WHERE ${table}.is_done = 0 OR ${table}.until <= ?`,
      )
      .run(id, time + retentionMs, time)
    return Number(changes) === 1
  }

  /** A few at a time, so that no handler waits for it. */
  #forgetExpired(): void {
    const { table, now } = this.#settings
    this.#database
      .prepare(`DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE until <= ? LIMIT 100)`)
      .run(now())
  }
}
