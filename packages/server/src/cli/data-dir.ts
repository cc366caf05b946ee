import { accessSync, constants, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { nameDatabase } from '../config/database-settings.ts'
import type { Settings } from '../config/settings.ts'

/**
 * Makes the data folder if it is not there. The store would do so too, in a thread whose errors have lost their code.
 * @throws what `node:fs` throws when it cannot be made or written
 */
export function prepareDataDir(dataDir: string): void {
  // Signing secrets are in there: a folder that is made here is for this user alone.
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  accessSync(dataDir, constants.W_OK)
}

/** The embedded database of a data folder. */
export function databasePath(dataDir: string): string {
  return join(dataDir, 'runbell.db')
}

/** As `ready` lines name it. */
export function databaseKind({ databaseUrl }: Settings): 'sqlite' | 'postgres' {
  return databaseUrl === null ? 'sqlite' : 'postgres'
}

/** Where the data is, for people; no password is in it. */
export function placeOfData({ dataDir, databaseUrl, databaseSchema }: Settings): string {
  if (databaseUrl === null) return dataDir
  return `${nameDatabase(databaseUrl)} (schema ${databaseSchema})`
}
