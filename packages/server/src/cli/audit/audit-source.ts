import { createReadStream, existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { MODES } from '@runbell/sdk/contract'
import { auditLine } from '../../core/audit/audit-entry.ts'
import { loadSettings } from '../../config/load.ts'
import { DatabaseInUse } from '../../store/sqlite/lock.ts'
import { openSqliteStore } from '../../store/sqlite/sqlite-store.ts'
import type { Store } from '../../store/store.ts'
import { connect, isServerGiven, type ServerOptions } from '../catalog/server-options.ts'
import { CliError, EXIT } from '../cli-error.ts'
import { openPostgres } from '../../wiring/open-store.ts'
import { databasePath, placeOfData } from '../data-dir.ts'

export interface SourceOptions extends ServerOptions {
  dataDir?: string
  file?: string
}

/** An audit log, as lines of `GET /v1/audit-log/export`. */
export interface AuditLog {
  /** Where it was found, in words. */
  name: string
  lines: AsyncIterable<string>
  close(): Promise<void>
}

/** Opens the log that is asked for; the caller closes it. @throws CliError */
export async function openAuditLog(options: SourceOptions): Promise<AuditLog> {
  if (options.file !== undefined) return fromFile(options.file)
  if (!isServerGiven(options)) return await fromDatabase(options)
  const { api, url } = connect(options)
  return { name: url, lines: api.lines('/v1/audit-log/export'), close: () => Promise.resolve() }
}

function fromFile(file: string): AuditLog {
  if (!existsSync(file)) throw new CliError(`there is no file ${file}`, EXIT.usage)
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity })
  return { name: file, lines, close: () => Promise.resolve() }
}

async function fromDatabase(options: SourceOptions): Promise<AuditLog> {
  const { settings } = loadSettings('start', { 'data-dir': options.dataDir }, process.env)
  if (settings.databaseUrl !== null) return await sealed(await openPostgres(settings), placeOfData(settings))
  const { dataDir } = settings
  const path = databasePath(dataDir)
  if (!existsSync(path)) {
    throw new CliError(`there is no database in ${dataDir}: name the folder with --data-dir, or a server with --url`)
  }
  return await sealed(await openStore(path), path)
}

async function sealed(store: Store, name: string): Promise<AuditLog> {
  // What was made in the last second before the server ended has no place in the chain yet.
  while ((await store.sealAudit({ limit: 1000 })) > 0);
  return { name, lines: linesOf(store), close: () => store.close() }
}

async function openStore(path: string): Promise<Store> {
  try {
    return await openSqliteStore({ path })
  } catch (error) {
    if (!(error instanceof DatabaseInUse)) throw error
    throw new CliError(
      `a server is using ${path}: give its address with --url (RUNBELL_URL) and an admin key with --key (RUNBELL_API_KEY), or stop it`,
    )
  }
}

async function* linesOf(store: Store): AsyncGenerator<string> {
  for (const mode of MODES) {
    for (let afterSeq = 0; ;) {
      const rows = await store.readAudit({ scope: { mode, tenantId: null }, afterSeq, limit: 500 })
      if (rows.length === 0) break
      for (const { seal, content } of rows) yield auditLine(seal, content)
      afterSeq = rows.at(-1)?.seal?.seq ?? afterSeq
    }
  }
}
