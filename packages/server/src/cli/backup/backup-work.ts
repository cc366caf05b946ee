import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { MODES } from '@runbell/sdk/contract'
import { loadSettings } from '../../config/load.ts'
import type { AuditEntry } from '../../core/audit/audit-entry.ts'
import { backUp } from '../../store/sqlite/backup/back-up.ts'
import { NotABackup, OldBackup, restore } from '../../store/sqlite/backup/restore.ts'
import { CliError, EXIT } from '../cli-error.ts'
import { databasePath, placeOfData, prepareDataDir } from '../data-dir.ts'
import { printLine } from '../output.ts'

export interface BackupOptions {
  dataDir?: string
  force?: boolean
  json?: boolean
}

export interface RestoreOptions extends BackupOptions {
  acceptClock?: boolean
}

/** Below this it is over before anybody asks how far it is. */
const PROGRESS_FROM_BYTES = 256 * 1024 * 1024

/** @throws CliError */
export async function makeBackup(file: string | undefined, options: BackupOptions): Promise<number> {
  const dataDir = dataDirOf(options)
  const path = databasePath(dataDir)
  const target = resolve(file ?? `runbell-backup-${stamp()}.db`)
  if (!existsSync(path)) throw new CliError(`there is no database in ${dataDir}: name the folder with --data-dir`)
  if (existsSync(target) && options.force !== true && !isSame(target, path)) {
    throw new CliError(`${target} is there already: choose another name, or replace it with --force`, EXIT.usage)
  }
  if (isSame(target, path)) throw new CliError(`${target} is the database itself: choose another name`, EXIT.usage)
  const bytes = await backUp({ path, target, onProgress })
  if (options.json === true) printLine(JSON.stringify({ file: target, bytes, database: path }))
  else printLine(`${target} has everything that ${path} had when it began: ${mib(bytes)}, checked.`)
  return EXIT.ok
}

/** @throws CliError */
export async function restoreBackup(file: string, options: RestoreOptions): Promise<number> {
  const dataDir = dataDirOf(options)
  const path = databasePath(dataDir)
  const backup = resolve(file)
  if (!existsSync(backup)) throw new CliError(`there is no file ${backup}`, EXIT.usage)
  if (isSame(backup, path)) throw new CliError(`${file} is the database itself`, EXIT.usage)
  if (existsSync(path) && options.force !== true) {
    throw new CliError(
      `there is a database in ${dataDir}: put it aside with --force, or name another folder with --data-dir`,
    )
  }
  prepareDataDir(dataDir)
  const aside = `${path}.before-${stamp()}`
  try {
    const done = await restore({
      backup,
      path,
      aside,
      now: Date.now(),
      acceptClock: options.acceptClock === true,
      audit: restored(backup),
    })
    const kept = done.aside ? aside : null
    if (options.json === true) printLine(JSON.stringify({ database: path, backup, aside: kept }))
    else printLine(`${path} is what ${backup} holds.${kept === null ? '' : ` What was there is ${kept} now.`}`)
    return EXIT.ok
  } catch (error) {
    if (error instanceof OldBackup) {
      throw new CliError(
        `${backup} ${error.message}: if that is right, say so with --accept-clock; otherwise set the clock first`,
      )
    }
    if (error instanceof NotABackup) throw new CliError(`${backup} ${error.message}`)
    throw error
  }
}

/** Whatever ways lead there: a file that is there is itself, of any other its folder is looked at. */
function isSame(one: string, other: string): boolean {
  const real = (path: string) =>
    existsSync(path)
      ? realpathSync(path)
      : existsSync(dirname(path))
        ? join(realpathSync(dirname(path)), basename(path))
        : resolve(path)
  return real(one) === real(other)
}

function dataDirOf({ dataDir }: BackupOptions): string {
  const { settings } = loadSettings('start', { 'data-dir': dataDir }, process.env)
  if (settings.databaseUrl === null || dataDir !== undefined) return settings.dataDir
  const where = placeOfData(settings)
  throw new CliError(
    `the data is in Postgres, ${where}: back it up with pg_dump or what your provider has (docs/postgres.md); --data-dir names an embedded database`,
    EXIT.usage,
  )
}

function restored(backup: string): AuditEntry[] {
  const facts = { tenantId: null, at: Date.now(), actor: 'cli', action: 'backup.restored', target: backup } as const
  return MODES.map((mode) => ({ ...facts, mode, requestId: null, detail: {} }))
}

/** UTC to the second, as names of files have it. */
function stamp(): string {
  return new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')
}

function onProgress(bytes: number, ofBytes: number): void {
  if (ofBytes >= PROGRESS_FROM_BYTES) process.stderr.write(`copied ${mib(bytes)} of about ${mib(ofBytes)}\n`)
}

function mib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toLocaleString('en', { maximumFractionDigits: 1 })} MiB`
}
