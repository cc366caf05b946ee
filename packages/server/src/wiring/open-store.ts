import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Settings } from '../config/settings.ts'
import type { DiskGuard, DiskState } from '../maintenance/disk/disk-guard.ts'
import type { Hint } from '../store/postgres/hint-channel.ts'
import type { PostgresInspection } from '../store/postgres/inspect.ts'
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts'
import type { Store } from '../store/store.ts'
import type { DiagnosticStore } from '../store/diagnostics.ts'
import { openPostgresDiagnostics } from '../store/postgres/diagnostics/postgres-diagnostics.ts'
import { openSqliteDiagnostics } from '../store/sqlite/diagnostics/sqlite-diagnostics.ts'
import { createDiskGuard, elsewhere } from './disk.ts'

/** A database, and the guard of the disk that it is on. */
export interface Storage {
  store: Store
  disk: DiskGuard
}

export interface StorageHooks {
  log: Logger
  /** The store will not work again in this process. */
  onFatal(error: Error): void
  onDisk(state: DiskState): void
  /** Other nodes have changed something; it may be lost, and come for nothing. */
  onHint(hint: Hint): void
}

/** @throws DatabaseUnusable, DatabaseInUse and others that say what to do */
export async function openStorage(
  settings: Settings,
  { log, onFatal, onDisk, onHint }: StorageHooks,
): Promise<Storage> {
  if (settings.databaseUrl !== null) return { store: await openPostgres(settings, onHint), disk: elsewhere() }
  const disk = createDiskGuard(settings, log, onDisk)
  await disk.look()
  const path = join(settings.dataDir, 'runbell.db')
  return { store: await openSqliteStore({ path, onFatal, onFull: () => disk.writeFailed() }), disk }
}

/** @throws DatabaseUnusable, and StoreUnavailable where it cannot be reached now */
export async function openPostgres(settings: Settings, onHint?: (hint: Hint) => void): Promise<Store> {
  const { databaseUrl, databasePool: poolSize, databaseSchema: schema } = settings
  const url = databaseUrl?.reveal() ?? ''
  // Most servers have an embedded database, and start sooner without the driver.
  const { openPostgresStore } = await import('../store/postgres/postgres-store.ts')
  return await openPostgresStore({ url, poolSize, schema, ...(onHint === undefined ? {} : { onHint }) })
}

/** The store of diagnostics; nothing is opened before its first use. */
export function openDiagnosticStore(settings: Settings, log: Logger): DiagnosticStore {
  const { databaseUrl, databaseSchema: schema, dataDir } = settings
  if (databaseUrl !== null) return openPostgresDiagnostics({ url: databaseUrl.reveal(), schema })
  const path = join(dataDir, 'diagnostics.db')
  const onTrouble = (error: Error) => {
    log.error({ err: error, file: path }, 'diagnostics.unusable: diagnostics are refused, everything else goes on')
  }
  return openSqliteDiagnostics({ path, onTrouble })
}

/** Looks into the database that is configured, and changes nothing there. @throws DatabaseUnusable with what to do */
export async function lookIntoPostgres({ databaseUrl, databaseSchema: schema }: Settings): Promise<PostgresInspection> {
  const { inspectPostgres } = await import('../store/postgres/inspect.ts')
  return await inspectPostgres({ url: databaseUrl?.reveal() ?? '', schema })
}
