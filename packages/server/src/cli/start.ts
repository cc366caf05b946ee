import type { Command } from 'commander'
import { addSettingFlags, settingFlags, type Flags } from './setting-flags.ts'

const EXAMPLES = `
Examples:
  runbell keys create --scope admin --mode live
  runbell start --data-dir /var/lib/runbell --host 0.0.0.0 --port 4600
  RUNBELL_PORT=8080 runbell start --json`

export function addStartCommand(program: Command, run: (work: Promise<number>) => Promise<void>): void {
  const command = program.command('start').description('Serve events in production, in live and test mode.')
  addSettingFlags(command, 'start')
    .option('--json', 'Print one JSON line on standard output once requests are served.')
    .addHelpText('after', EXAMPLES)
    .action((options: { json?: boolean }) => run(start(settingFlags(options), options.json === true)))
}

/** Loaded when it is needed: help and usage errors need not wait for the whole server. */
async function start(flags: Flags, json: boolean): Promise<number> {
  const { startServer } = await import('./start-server.ts')
  return await startServer(flags, json)
}
