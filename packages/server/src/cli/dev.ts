import type { Command } from 'commander'
import { parseChaos } from './chaos.ts'
import { CliError, EXIT } from './cli-error.ts'
import { addSettingFlags, settingFlags, type Flags } from './setting-flags.ts'

const HELP = `
It makes an admin key of test mode and an inbox that takes every event, and keeps both in dev.json in the data folder,
readable by you alone. Endpoints may be http URLs on this machine. Do not use it in production: it refuses a database that
RUNBELL_DATABASE_URL names, which may be that of your servers, and takes one that --database-url names.

On a terminal it listens to keys: t publishes the next event of an agent's run, s the rest of it, f forwards every event to a server of
yours on this machine, o opens the server in a browser, ? tells them.

--chaos has the inbox fail on purpose, to see what a receiver has to live with: a status instead of an answer, no answer (timeout), an
answer that is lost so that the event comes again (duplicate), events that are overtaken (reorder), each with its share of requests.

--types writes TypeScript types of your own event types, anew whenever the catalog of the server changes. A catalog in
runbell.catalog.json is registered, and again whenever the file changes.

Examples:
  runbell dev
  runbell dev --port 0 --json
  runbell dev --chaos 500:20%,timeout:5%,duplicate:10%,reorder:10%
  runbell dev --types src/own-events.ts
  runbell dev --demo            a refund agent's run, delivered to three receivers
  runbell dev --demo --once     the same, then end: 0 if all went as it must`

interface DevOptions {
  json?: boolean
  demo?: boolean
  once?: boolean
  chaos?: string
  types?: string
}

export function addDevCommand(program: Command, run: (work: Promise<number>) => Promise<void>): void {
  const command = program.command('dev').description('Serve events in test mode, with an inbox; nothing to configure.')
  addSettingFlags(command, 'dev')
    .option('--json', 'Print one JSON line on standard output once requests are served, and nothing else there.')
    .option('--demo', 'Show a whole run being delivered, in a data folder of its own unless --data-dir is given.')
    .option('--once', 'With --demo: end when it has been shown.')
    .option('--chaos <faults>', 'Have the inbox fail, such as 500:20%,timeout:5%,duplicate:10%,reorder:10%.')
    .option('--types <file>', 'Write types of the catalog there, a .ts file, whenever it changes.')
    .addHelpText('after', HELP)
    .action((options: DevOptions) => run(dev(settingFlags(options as Record<string, unknown>), options)))
}

/** Loaded when it is needed: help and usage errors need not wait for the whole server. */
async function dev(flags: Flags, options: DevOptions): Promise<number> {
  const { json = false, demo = false, once = false, chaos, types } = options
  if (once && !demo) throw new CliError('--once goes with --demo: add it, or leave --once out', EXIT.usage)
  if (demo && (chaos ?? types) !== undefined) {
    throw new CliError('--demo shows a run as it is: leave --chaos and --types out', EXIT.usage)
  }
  if (types !== undefined && (!types.endsWith('.ts') || types.endsWith('.d.ts'))) {
    throw new CliError(`--types "${types}" holds values too: name a .ts file`, EXIT.usage)
  }
  const faults = chaos === undefined ? null : parseChaos(chaos)
  const { runDev } = await import('./dev-run.ts')
  return await runDev(flags, { json, demo, once, chaos: faults, types: types ?? null })
}
