import { nameDatabase } from '../config/database-settings.ts'
import { loadSettings, type LoadedSettings } from '../config/load.ts'
import { VERSION } from '../version.ts'
import type { Chaos } from './chaos.ts'
import { CliError, EXIT } from './cli-error.ts'
import { openDemoServer } from './demo/demo-server.ts'
import { runDemo } from './demo/run-demo.ts'
import { databaseKind } from './data-dir.ts'
import { printAttempts } from './dev-attempts.ts'
import { watchCatalog } from './dev-catalog.ts'
import { listenToKeys } from './dev-keys.ts'
import { openDevServer, type DevServer } from './dev-server.ts'
import { printWelcome } from './dev-welcome.ts'
import { printLine } from './output.ts'
import { createScreen } from './screen.ts'
import { serveUntilStopped } from './serve.ts'
import type { Flags } from './setting-flags.ts'

/** What to run besides the settings. */
export interface DevRun {
  json: boolean
  demo: boolean
  once: boolean
  /** Faults of the inbox. */
  chaos: Chaos | null
  /** Where types of the catalog go. */
  types: string | null
}

/**
 * Serves in test mode until it is told to stop, or until the demonstration has been shown.
 * @throws CliError where it would join the servers of a database that nobody named for it
 */
export async function runDev(flags: Flags, run: DevRun): Promise<number> {
  const loaded = loadSettings('dev', flags, process.env)
  if (run.demo) return await serveDemo(loaded, run.json, run.once)
  refuseForeignDatabase(loaded)
  return await serveDev(loaded.settings, run)
}

/** It may send to this machine and keeps its keys in a folder: on a database of production it would be one of its workers. */
function refuseForeignDatabase({ settings: { databaseUrl }, origins }: LoadedSettings): void {
  if (databaseUrl === null || origins.databaseUrl === 'flag') return
  throw new CliError(
    `RUNBELL_DATABASE_URL names ${nameDatabase(databaseUrl)}, and runbell dev would deliver for whoever uses that: unset it for the ` +
      'embedded database, or name a database for development with --database-url',
    EXIT.usage,
  )
}

async function serveDev(settings: DevServer['settings'], { json, chaos, types }: DevRun): Promise<number> {
  return await serveUntilStopped(async ({ onFatal }) => {
    const server = await openDevServer(settings, onFatal, chaos)
    const catalog = await watchCatalog(server.api, { types })
    if (json) {
      printReady(server)
      return stopping(server, catalog)
    }
    const screen = createScreen(process.stdout)
    const keys = screen.live && process.stdin.isTTY ? listenToKeys(process.stdin, screen, server) : null
    printWelcome(screen, server, keys !== null)
    printAttempts(screen, server)
    return stopping(server, catalog, ...(keys === null ? [] : [keys]))
  })
}

function stopping(server: DevServer, ...others: { close(): void }[]): { stop(): Promise<void> } {
  return {
    async stop() {
      for (const other of others) other.close()
      await server.stop()
    },
  }
}

async function serveDemo(loaded: LoadedSettings, json: boolean, once: boolean): Promise<number> {
  return await serveUntilStopped(async ({ signal, onFatal }) => {
    const screen = createScreen(json ? process.stderr : process.stdout)
    const opened = await openDemoServer(loaded, onFatal)
    if (json) printReady(opened.server)
    const demo = runDemo({ ...opened, screen, once, signal })
    return {
      ended: once ? demo.shown : demo.shown.then(() => new Promise<void>(() => {})),
      async stop() {
        await opened.stop()
        await demo.close()
      },
    }
  })
}

function printReady({ runbell: { url }, settings, apiKey, inbox }: DevServer): void {
  const ready = {
    ready: true,
    url,
    mode: 'test',
    database: databaseKind(settings),
    version: VERSION,
    api_key: apiKey,
    inbox_url: inbox.url,
  }
  printLine(JSON.stringify(ready))
}
