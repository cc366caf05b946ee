import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { nameDatabase } from '../../config/database-settings.ts'
import type { Settings } from '../../config/settings.ts'
import type { Inspection } from '../../store/inspection.ts'
import type { PostgresInspection } from '../../store/postgres/inspect.ts'
import { DatabaseUnusable } from '../../store/postgres/start-errors.ts'
import { inspectSqlite, isLocked } from '../../store/sqlite/inspect.ts'
import { lookIntoPostgres } from '../../wiring/open-store.ts'
import { databasePath } from '../data-dir.ts'
import { fail, ok, sentence, warn, type Check } from './check.ts'
import { findLockHolder } from './lock-holder.ts'

export interface DatabaseFindings {
  checks: Check[]
  /** `null`: there is none yet, or it could not be looked into. */
  inspection: Inspection | null
  /** The database's own clock, where it has one. */
  time: PostgresInspection['time'] | null
}

/** The database opens, is of a schema that is known, and nobody is in the way. */
export async function checkDatabase(settings: Settings, options: { deep: boolean }): Promise<DatabaseFindings> {
  return settings.databaseUrl === null ? checkSqlite(settings, options) : await checkPostgres(settings)
}

const OTHERS = 0o077

function checkSqlite({ dataDir }: Settings, options: { deep: boolean }): DatabaseFindings {
  const path = databasePath(dataDir)
  const checks: Check[] = []
  const unwritable = firstUnwritable(dataDir)
  if (unwritable !== null) {
    const fix = 'Change its owner or rights, or choose another folder with --data-dir.'
    checks.push(fail('database', `${unwritable} cannot be written by this user`, fix))
  }
  if (!existsSync(path)) {
    checks.push(ok('database', `there is none in ${resolve(dataDir)} yet; the first start makes it`))
    return { checks, inspection: null, time: null }
  }
  if (process.platform !== 'win32' && (statSync(path).mode & OTHERS) !== 0 && (statSync(dataDir).mode & OTHERS) !== 0) {
    checks.push(warn('database', 'others than this user can read it', `chmod 700 ${resolve(dataDir)}`))
  }
  if (isLocked(path)) checks.push(ok('database', `in use by ${findLockHolder(`${path}.lock`) ?? 'a server'}`))
  let inspection: ReturnType<typeof inspectSqlite>
  try {
    inspection = inspectSqlite(path, options)
  } catch (error) {
    const why = (error as Error).message
    const fix = 'Restore it with runbell restore, or choose another folder with --data-dir.'
    return {
      checks: [...checks, fail('database', `${path} cannot be read (${why})`, fix)],
      inspection: null,
      time: null,
    }
  }
  if (inspection.damage !== null) {
    const fix = 'Stop the server, keep a copy of the folder, and restore a backup with runbell restore.'
    checks.push(fail('database', `it is damaged: ${inspection.damage.replaceAll('\n', ' ').slice(0, 200)}`, fix))
  }
  if (inspection.movedTo !== null) {
    const fix = 'Start Runbell with that one: set RUNBELL_DATABASE_URL.'
    checks.push(fail('database', `everything in it has moved to ${inspection.movedTo}`, fix))
  }
  checks.push(schemaCheck(`SQLite, ${path}`, inspection))
  return { checks, inspection, time: null }
}

/** The folder that is not to be written to, or the one above it that is there. */
function firstUnwritable(dataDir: string): string | null {
  let folder = resolve(dataDir)
  while (!existsSync(folder)) folder = dirname(folder)
  try {
    accessSync(folder, constants.W_OK)
    return null
  } catch {
    return folder
  }
}

async function checkPostgres(settings: Settings): Promise<DatabaseFindings> {
  const { databaseUrl, databaseSchema, databasePool } = settings
  if (databaseUrl === null) return { checks: [], inspection: null, time: null }
  const name = `Postgres, ${nameDatabase(databaseUrl)}`
  let found: PostgresInspection
  try {
    found = await lookIntoPostgres(settings)
  } catch (error) {
    const [what, fix] = explained(error)
    return { checks: [fail('database', `${name}: ${what}`, fix)], inspection: null, time: null }
  }
  const checks: Check[] = []
  if (found.standby) {
    const fix = 'Put the address of the primary into RUNBELL_DATABASE_URL.'
    checks.push(fail('database', `${name} is a standby, which nothing can be written to`, fix))
  }
  if (!found.mayCreate) {
    const fix = `GRANT CREATE ON DATABASE … TO the user, or CREATE SCHEMA ${databaseSchema} AUTHORIZATION the user.`
    checks.push(fail('database', `the user may not make tables in the schema ${databaseSchema}`, fix))
  }
  if (found.foreignTables > 0) {
    const fix = 'Make the user of RUNBELL_DATABASE_URL the owner of all tables in the schema.'
    checks.push(
      fail('database', `${found.foreignTables} tables belong to another user, so no version can change them`, fix),
    )
  }
  const needed = databasePool + 1
  if (needed > found.maxConnections / 2) {
    const message = `this node takes up to ${needed} of ${found.maxConnections} connections`
    checks.push(warn('database', message, 'Raise max_connections, or lower RUNBELL_DATABASE_POOL.'))
  }
  checks.push(schemaCheck(`${name}, server ${found.serverVersion}`, found))
  return { checks, inspection: found, time: found.time }
}

/** What is wrong, and what to do: errors of a start say both in one sentence. */
function explained(error: unknown): [what: string, fix: string] {
  const message = error instanceof Error ? error.message : String(error)
  const at = error instanceof DatabaseUnusable ? message.indexOf(': ') : -1
  if (at === -1) return [`it cannot be reached (${message.split('\n', 1)[0]})`, 'Check that it runs, and its address.']
  return [message.slice(0, at), sentence(message.slice(at + 2))]
}

function schemaCheck(name: string, { schema, knownSchema }: Inspection): Check {
  if (schema > knownSchema) {
    const message = `${name}: written by a newer Runbell (schema ${schema}, this one knows ${knownSchema})`
    return fail('database', message, 'Upgrade this Runbell.')
  }
  if (schema === 0) return ok('database', `${name}: opens, and is empty; the first start makes the tables`)
  if (schema < knownSchema) {
    return ok('database', `${name}: opens; schema ${schema}, the next start brings it to ${knownSchema}`)
  }
  return ok('database', `${name}: opens, schema ${schema} is the newest`)
}
