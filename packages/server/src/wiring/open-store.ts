import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Settings } from '../config/settings.ts'
import type { DiskGuard, DiskState } from '../maintenance/disk/disk-guard.ts'
import { openPostgresStore } from '../store/postgres/postgres-store.ts'
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts'
import type { Store } from '../store/store.ts'
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
}

/** @throws DatabaseUnusable, DatabaseInUse and others that say what to do */
export async function openStorage(settings: Settings, { log, onFatal, onDisk }: StorageHooks): Promise<Storage> {
  if (settings.databaseUrl !== null) return { store: await openPostgres(settings), disk: elsewhere() }
  const disk = createDiskGuard(settings, log, onDisk)
  await disk.look()
  const path = join(settings.dataDir, 'runbell.db')
  return { store: await openSqliteStore({ path, onFatal, onFull: () => disk.writeFailed() }), disk }
}

/** @throws DatabaseUnusable, and StoreUnavailable where it cannot be reached now */
export async function openPostgres({ databaseUrl, databasePool, databaseSchema }: Settings): Promise<Store> {
  return await openPostgresStore({
    ...{ url: databaseUrl?.reveal() ?? '', poolSize: databasePool, schema: databaseSchema },
  })
}
