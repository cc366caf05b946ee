import { copyFile, link, rename, rm } from 'node:fs/promises'
import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { AuditEntry } from '../../../core/audit/audit-entry.ts'
import { LONGEST_OUTAGE_MS } from '../../../core/service-clock.ts'
import { Database } from '../database.ts'
import { takeLock } from '../lock.ts'
import { MOVED_TO } from '../moved-away.ts'
import { MIGRATIONS } from '../schema.ts'
import { insertAudit } from '../verbs/audit.ts'
import { makeDurable, syncFolder } from './back-up.ts'

export interface RestoreOptions {
  /** A file that `backUp` made, or any whole database of Runbell. */
  backup: string
  /** The database to be. */
  path: string
  /** Where a database that is there goes. */
  aside: string
  /** Ms since the epoch: service time goes on from here at least. */
  now: number
  /** This machine's clock is right, though the backup is older than an outage lasts. */
  acceptClock?: boolean
  /** Put on record in the restored database. */
  audit: AuditEntry[]
}

/** What a file is not, in words. */
export class NotABackup extends Error {
  override name = 'NotABackup'
}

/** The first schema with an audit log. */
const AUDIT_SINCE = 3

/**
 * Puts a backup in the place of a database. What was there is kept under another name, whole, before anything takes its place; a
 * crash at any point leaves a database there, the old one or the new one.
 * @throws NotABackup · DatabaseInUse while a server uses the database · Error from the file system
 */
export async function restore(options: RestoreOptions): Promise<{ aside: boolean }> {
  const { backup, path } = options
  const { version, highWater } = checkBackup(backup)
  checkAge(highWater, options)
  const lock = takeLock(path)
  try {
    const arriving = `${path}.restoring`
    await rm(arriving, { force: true })
    await copyFile(backup, arriving)
    putOnRecord(arriving, version, options)
    await makeDurable(arriving)
    const aside = existsSync(path)
    if (aside) await putAside(path, options.aside)
    await rename(arriving, path)
    await syncFolder(dirname(path))
    return { aside }
  } finally {
    lock.release()
  }
}

/** The clock of this machine says that the backup is very old, and a start would not believe it. */
export class OldBackup extends Error {
  override name = 'OldBackup'
}

/** Service time that has jumped ahead never comes back, so a clock that may be wrong is not believed without being asked about. */
function checkAge(highWater: number, { now, acceptClock = false }: RestoreOptions): void {
  if (acceptClock || now - highWater <= LONGEST_OUTAGE_MS) return
  throw new OldBackup(
    `was made at ${new Date(highWater).toISOString()}, and this machine's clock says ${new Date(now).toISOString()}`,
  )
}

/** @returns its schema version, and the latest service time in it */
export function checkBackup(backup: string): { version: number; highWater: number } {
  if (existsSync(`${backup}-wal`) && statSync(`${backup}-wal`).size > 0) {
    throw new NotABackup(
      'has a log beside it, so it is a database in use and not all of it is in this file: make a backup of it',
    )
  }
  let database: DatabaseSync
  try {
    database = new DatabaseSync(backup, { readOnly: true })
  } catch (error) {
    throw new NotABackup(`cannot be opened: ${error instanceof Error ? error.message : String(error)}`)
  }
  try {
    const version = database.prepare('PRAGMA user_version').get()?.['user_version'] as number
    if (version > MIGRATIONS.length) {
      throw new NotABackup(
        `was made by a newer Runbell (schema ${version}, this one knows ${MIGRATIONS.length}): upgrade Runbell`,
      )
    }
    const tables = database.prepare(`SELECT name FROM sqlite_schema WHERE name IN ('events', 'settings')`).all()
    if (version < 1 || tables.length < 2) throw new NotABackup('is a database, and none of Runbell')
    const check = database.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check']
    if (check !== 'ok') throw new NotABackup(`is damaged: ${String(check).replaceAll('\n', ' ')}`)
    const highWater = database.prepare(`SELECT value FROM settings WHERE name = 'high_water'`).get()?.['value']
    return { version, highWater: typeof highWater === 'number' ? highWater : 0 }
  } catch (error) {
    if (error instanceof NotABackup) throw error
    throw new NotABackup(`is not a whole database: ${error instanceof Error ? error.message : String(error)}`)
  } finally {
    database.close()
  }
}

/** Nothing that was held when it was made is lost: a start finds it as after a crash. */
function putOnRecord(path: string, version: number, { now, audit }: RestoreOptions): void {
  const database = new Database(path, { readOnly: false })
  database.handle.exec('PRAGMA journal_mode = DELETE; BEGIN IMMEDIATE')
  database.prepare(`UPDATE settings SET value = max(value, ?) WHERE name = 'high_water'`).run(now)
  database.prepare('DELETE FROM settings WHERE name = ?').run(MOVED_TO)
  if (version >= AUDIT_SINCE) for (const entry of audit) insertAudit(database, entry)
  database.handle.exec('COMMIT')
  database.close()
}

/** Another name for the same file first: there is a database under the old one at every moment. */
async function putAside(path: string, aside: string): Promise<void> {
  emptyLog(path)
  await link(path, aside)
  for (const suffix of ['-wal', '-shm']) {
    if (existsSync(`${path}${suffix}`)) await rename(`${path}${suffix}`, `${aside}${suffix}`)
  }
}

/** The log of an old database must not be taken for one of the new: it goes into its file, or aside with it. */
function emptyLog(path: string): void {
  try {
    const database = new DatabaseSync(path)
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    database.close()
  } catch {
    // It is damaged, which may be why somebody restores.
  }
}
