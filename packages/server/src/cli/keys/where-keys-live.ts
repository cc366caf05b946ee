import { existsSync } from 'node:fs'
import type { Mode } from '@runbell/sdk/contract'
import { parseApiKey } from '../../api/access/api-key.ts'
import { loadSettings } from '../../config/load.ts'
import { DatabaseInUse } from '../../store/sqlite/lock.ts'
import { openSqliteStore } from '../../store/sqlite/sqlite-store.ts'
import { openPostgres } from '../../wiring/open-store.ts'
import type { Store } from '../../store/store.ts'
import { createApiClient, type ApiClient } from '../api-client.ts'
import { CliError, EXIT } from '../cli-error.ts'
import { databasePath, prepareDataDir } from '../data-dir.ts'

export interface WhereOptions {
  dataDir?: string
  url?: string
  key?: string
}

/** What to do, in a database that no server uses, or over the API of a server with an admin key of this mode. */
interface Ways<Result> {
  database(store: Store): Promise<Result>
  server(api: ApiClient, mode: Mode): Promise<Result>
}

/** @throws CliError where neither can be reached */
export async function whereKeysLive<Result>(options: WhereOptions, ways: Ways<Result>): Promise<Result> {
  const { settings } = loadSettings('start', { 'data-dir': options.dataDir }, process.env)
  const { dataDir } = settings
  const url = options.url ?? process.env['RUNBELL_URL']
  const database = databasePath(dataDir)
  // Any number of processes may have it open.
  if (settings.databaseUrl !== null && options.url === undefined) {
    return await inStore(await openPostgres(settings), ways)
  }
  // An address in the environment means a server elsewhere, unless there is a database right here.
  if (options.url !== undefined || (url !== undefined && !existsSync(database))) {
    return await overApi(options, url as string, ways)
  }
  let store: Store
  try {
    prepareDataDir(dataDir)
    store = await openSqliteStore({ path: database })
  } catch (error) {
    if (!(error instanceof DatabaseInUse)) throw error
    if (url !== undefined) return await overApi(options, url, ways)
    throw new CliError(
      `a server is using ${database}: give its address with --url (RUNBELL_URL) and an admin key with --key (RUNBELL_API_KEY), or stop it`,
    )
  }
  return await inStore(store, ways)
}

async function inStore<Result>(store: Store, ways: Ways<Result>): Promise<Result> {
  try {
    return await ways.database(store)
  } finally {
    await store.close()
  }
}

async function overApi<Result>(options: WhereOptions, url: string, ways: Ways<Result>): Promise<Result> {
  const key = options.key ?? process.env['RUNBELL_API_KEY']
  if (URL.parse(url) === null)
    throw new CliError(`--url "${url}" is not a URL: write one such as http://127.0.0.1:4600`, EXIT.usage)
  if (key === undefined) throw new CliError(`${url} asks for an admin key: give it with --key (RUNBELL_API_KEY)`)
  const asking = parseApiKey(key)
  if (asking === null)
    throw new CliError('what --key (RUNBELL_API_KEY) holds is not an API key: copy it again, whole', EXIT.usage)
  return await ways.server(createApiClient(url, key), asking.mode)
}
