import { loadSettings } from '../config/load.ts'
import { createRunbell, type Runbell } from '../runbell.ts'
import { VERSION } from '../version.ts'
import { databaseKind, placeOfData, prepareDataDir } from './data-dir.ts'
import { printLine } from './output.ts'
import { createLog, serveUntilStopped } from './serve.ts'
import type { Flags } from './setting-flags.ts'

/** Runs a server until it is told to stop. */
export async function startServer(flags: Flags, json: boolean): Promise<number> {
  const { settings } = loadSettings('start', flags, process.env)
  return await serveUntilStopped(async ({ onFatal }) => {
    if (settings.databaseUrl === null) prepareDataDir(settings.dataDir)
    const log = createLog(settings.logLevel)
    const runbell = await createRunbell({ settings, command: 'start', log, onFatal })
    const { url } = runbell
    const database = databaseKind(settings)
    if (json) printLine(JSON.stringify({ ready: true, url, mode: 'live', database, version: VERSION }))
    else printLine(`Runbell ${VERSION} serves ${url} with the data in ${placeOfData(settings)}; Ctrl-C stops it.`)
    if (!(await hasKey(runbell))) {
      log.warn(
        'there is no API key yet: make one with runbell keys create --scope admin --mode live, before or while it runs',
      )
    }
    return {
      async stop() {
        log.info('stopping')
        await runbell.stop()
      },
    }
  })
}

async function hasKey({ store }: Runbell): Promise<boolean> {
  for (const mode of ['live', 'test'] as const) {
    const { rows } = await store.listApiKeys({ scope: { mode, tenantId: null }, page: { limit: 1, after: null } })
    if (rows.length > 0) return true
  }
  return false
}
