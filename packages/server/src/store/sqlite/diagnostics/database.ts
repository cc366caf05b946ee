import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { Database } from '../database.ts'

/**
 * The schema, oldest change first; append only. `AUTOINCREMENT`: a position is never given twice, also when everything was removed:
 * whoever follows goes on behind the last one it has had.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE diagnostics (
     position INTEGER PRIMARY KEY AUTOINCREMENT,
     mode INTEGER NOT NULL,
     tenant_id TEXT NOT NULL,
     run_id TEXT,
     trace_id TEXT,
     name TEXT NOT NULL,
     severity INTEGER NOT NULL,
     recorded_at INTEGER NOT NULL,
     body TEXT NOT NULL
   ) STRICT;
   CREATE INDEX diagnostics_tenant ON diagnostics (mode, tenant_id, position);
   CREATE INDEX diagnostics_run ON diagnostics (mode, run_id, position) WHERE run_id IS NOT NULL;
   CREATE INDEX diagnostics_trace ON diagnostics (mode, trace_id, position) WHERE trace_id IS NOT NULL;
   CREATE INDEX diagnostics_age ON diagnostics (mode, recorded_at);`,
]

/**
 * Opens the file of diagnostics and brings its schema up to date. `synchronous=NORMAL`: a commit waits for no flush to the disk, which
 * would be in the way of those of events; what a crash of the process leaves is whole all the same. A small cache: nothing hot is here.
 * @throws Error where it cannot be used, or a newer Runbell wrote it
 */
export function openDiagnosticsFile(path: string): Database {
  mkdirSync(dirname(path), { recursive: true })
  const database = new Database(path, { readOnly: false })
  try {
    database.handle.exec(`
      PRAGMA auto_vacuum = INCREMENTAL;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA wal_autocheckpoint = 1000;
      PRAGMA cache_size = -16384;
      PRAGMA temp_store = MEMORY;
      PRAGMA secure_delete = FAST;
      BEGIN IMMEDIATE;
    `)
    const version = database.handle.prepare('PRAGMA user_version').get()?.['user_version'] as number
    if (version > MIGRATIONS.length) {
      throw new Error(`${path} was written by a newer Runbell (schema ${version}): upgrade Runbell, or move it away`)
    }
    for (const migration of MIGRATIONS.slice(version)) database.handle.exec(migration)
    database.handle.exec(`PRAGMA user_version = ${MIGRATIONS.length}; COMMIT`)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}
