import type { Command } from 'commander'
import { loadSettings, type LoadedSettings } from '../config/load.ts'
import { VERSION } from '../version.ts'
import { CliError, EXIT } from './cli-error.ts'
import { runDemo } from './demo/run-demo.ts'
import { openDemoServer } from './demo/demo-server.ts'
import { printAttempts } from './dev-attempts.ts'
import { openDevServer, type DevServer } from './dev-server.ts'
import { printWelcome } from './dev-welcome.ts'
import { printLine } from './output.ts'
import { createScreen } from './screen.ts'
import { serveUntilStopped } from './serve.ts'
import { addSettingFlags, settingFlags, type Flags } from './setting-flags.ts'

const HELP = `
It makes an admin key of test mode and an inbox that takes every event, and keeps both in dev.json in the data folder,
readable by you alone. Endpoints may be http URLs on this machine. Do not use it in production.

Examples:
  runbell dev
  runbell dev --port 0 --json
  runbell dev --demo            a refund agent's run, delivered to three receivers
  runbell dev --demo --once     the same, then end: 0 if all went as it must`

interface DevOptions {
  json?: boolean
  demo?: boolean
  once?: boolean
}

export function addDevCommand(program: Command, run: (work: Promise<number>) => Promise<void>): void {
  const command = program.command('dev').description('Serve events in test mode, with an inbox; nothing to configure.')
  addSettingFlags(command, 'dev')
    .option('--json', 'Print one JSON line on standard output once requests are served, and nothing else there.')
    .option('--demo', 'Show a whole run being delivered, in a data folder of its own unless --data-dir is given.')
    .option('--once', 'With --demo: end when it has been shown.')
    .addHelpText('after', HELP)
    .action((options: DevOptions) => run(dev(settingFlags(options as Record<string, unknown>), options)))
}

async function dev(flags: Flags, options: DevOptions): Promise<number> {
  if (options.once === true && options.demo !== true) throw new CliError('--once goes with --demo: add it, or leave --once out', EXIT.usage)
  const loaded = loadSettings('dev', flags, process.env)
  const json = options.json === true
  return options.demo === true
    ? await serveDemo(loaded, json, options.once === true)
    : await serveDev(loaded.settings, json)
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

function printReady({ runbell: { url }, apiKey, inbox }: DevServer): void {
  const ready = { ready: true, url, mode: 'test', database: 'sqlite', version: VERSION, api_key: apiKey, inbox_url: inbox.url }
  printLine(JSON.stringify(ready))
}
