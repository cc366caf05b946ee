import { loadSettings, type LoadedSettings } from '../config/load.ts'
import { VERSION } from '../version.ts'
import { openDemoServer } from './demo/demo-server.ts'
import { runDemo } from './demo/run-demo.ts'
import { databaseKind } from './data-dir.ts'
import { printAttempts } from './dev-attempts.ts'
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
}

/** Serves in test mode until it is told to stop, or until the demonstration has been shown. */
export async function runDev(flags: Flags, { json, demo, once }: DevRun): Promise<number> {
  const loaded = loadSettings('dev', flags, process.env)
  return demo ? await serveDemo(loaded, json, once) : await serveDev(loaded.settings, json)
}

async function serveDev(settings: DevServer['settings'], json: boolean): Promise<number> {
  return await serveUntilStopped(async ({ onFatal }) => {
    const server = await openDevServer(settings, onFatal)
    if (json) printReady(server)
    else {
      const screen = createScreen(process.stdout)
      printWelcome(screen, server)
      printAttempts(screen, server)
    }
    return server
  })
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
