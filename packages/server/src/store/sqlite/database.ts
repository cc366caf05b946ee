import { mkdirSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { refuseMoved } from './moved-away.ts'
import { MIGRATIONS } from './schema.ts'

/** SQLite values as `node:sqlite` gives them. */
export type Row = Record<string, unknown>

const CACHE_KIB = 65_536
/** How long a statement waits for another connection. */
export const BUSY_TIMEOUT_MS = 5000

/** One connection with its prepared statements, each prepared once. */
export class Database {
  readonly handle: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(path: string, options: { readOnly: boolean }) {
    this.handle = new DatabaseSync(path, { readOnly: options.readOnly, timeout: BUSY_TIMEOUT_MS })
  }

  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) this.#statements.set(sql, (statement = this.handle.prepare(sql)))
    return statement
  }

  setting(name: string): unknown {
    return this.prepare('SELECT value FROM settings WHERE name = ?').get(name)?.['value']
  }

  /** Counts up the version that everything cached outside the database is compared with. */
  bumpConfigVersion(): number {
    const row = this.prepare(
      `UPDATE settings SET value = value + 1 WHERE name = 'config_version' RETURNING value`,
    ).get() as Row
    return row['value'] as number
  }

  configVersion(): number {
    return this.setting('config_version') as number
  }

  close(): void {
    this.#statements.clear()
    this.handle.close()
  }
}

/**
 * Opens the database for writing and brings its schema up to date.
 * `synchronous=FULL`: a commit is on the disk before it is answered (guarantee G1). `wal_autocheckpoint` stays at
 * 1,000 pages: larger checkpoints stalled commits by 100 ms.
 * `secure_delete=FAST`: a row that moves or goes leaves no copy of itself in its page, so that what is erased is not in the
 * file any more; it costs no write.
 * `auto_vacuum=INCREMENTAL`: what retention frees can be given back to the system, a bounded piece at a time.
 * @throws Error when the file was written by a newer version of Runbell, or everything in it has moved
 */
export function openWriter(path: string): Database {
  mkdirSync(dirname(path), { recursive: true })
  const database = new Database(path, { readOnly: false })
  database.handle.exec(`
    PRAGMA auto_vacuum = INCREMENTAL;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 1000;
    PRAGMA cache_size = -${CACHE_KIB};
    PRAGMA temp_store = MEMORY;
    PRAGMA secure_delete = FAST;
  `)
  migrate(database.handle)
  refuseMoved(database.handle)
  makeShrinkable(database.handle, path)
  return database
}

/**
 * A file from before `auto_vacuum` was set is written anew once, which puts the setting into it and leaves no copy of anything that was
 * deleted. That takes as much space again, twice: where there is none the next start tries.
 */
function makeShrinkable(handle: DatabaseSync, path: string): void {
  const read = (pragma: string) => Object.values(handle.prepare(`PRAGMA ${pragma}`).get() ?? {})[0] as number
  if (read('auto_vacuum') !== 0) return
  const { bavail, bsize } = statfsSync(dirname(path))
  if (bavail * bsize < 2 * read('page_count') * read('page_size')) return
  try {
    handle.exec('PRAGMA temp_store = FILE; PRAGMA cache_size = -4096; PRAGMA auto_vacuum = INCREMENTAL; VACUUM')
  } catch {
    // It goes on as it was; its space is used again, and not given back.
  } finally {
    handle.exec(`PRAGMA temp_store = MEMORY; PRAGMA cache_size = -${CACHE_KIB}; PRAGMA wal_checkpoint(TRUNCATE)`)
  }
}

function migrate(handle: DatabaseSync): void {
  handle.exec('BEGIN IMMEDIATE')
  try {
    const version = handle.prepare('PRAGMA user_version').get()?.['user_version'] as number
    if (version > MIGRATIONS.length) {
      throw new Error(
        `this database was written by a newer Runbell (schema ${version}, this one knows ${MIGRATIONS.length}): upgrade Runbell`,
      )
    }
    for (const migration of MIGRATIONS.slice(version)) handle.exec(migration)
    handle.exec(`PRAGMA user_version = ${MIGRATIONS.length}`)
    handle.exec('COMMIT')
  } catch (error) {
    handle.exec('ROLLBACK')
    throw error
  }
}
