import { accessSync, constants, mkdirSync } from 'node:fs'
import { join } from 'node:path'

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
