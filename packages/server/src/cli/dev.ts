import type { Command } from 'commander'
import { CliError, EXIT } from './cli-error.ts'
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

/** Loaded when it is needed: help and usage errors need not wait for the whole server. */
async function dev(flags: Flags, { json = false, demo = false, once = false }: DevOptions): Promise<number> {
  if (once && !demo) throw new CliError('--once goes with --demo: add it, or leave --once out', EXIT.usage)
  const { runDev } = await import('./dev-run.ts')
  return await runDev(flags, { json, demo, once })
}
