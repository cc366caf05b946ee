import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Another process has the database open. */
export class DatabaseInUse extends Error {
  constructor(path: string) {
    super(`another Runbell process is using ${path}: stop it first, or give this one its own --data-dir`)
    this.name = 'DatabaseInUse'
  }
}

/**
 * Takes the lock that keeps a second process off a database: an exclusive transaction on a small SQLite file beside
 * it (details 28). The operating system lets go of it when the process ends, however it ends.
 * @throws DatabaseInUse
 */
export function takeLock(databasePath: string): { release(): void } {
  mkdirSync(dirname(databasePath), { recursive: true })
  const handle = new DatabaseSync(`${databasePath}.lock`, { timeout: 0 })
  try {
    handle.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    handle.close()
    if (/locked|busy/i.test(String(error))) throw new DatabaseInUse(databasePath)
    throw error
  }
  return {
    release() {
      handle.exec('ROLLBACK')
      handle.close()
    },
  }
}
