import type { Command } from 'commander'
import type { ServerOptions } from '../server/find-server.ts'
import { addServerFlags } from '../server/server-flags.ts'
import { addFilterFlags } from './filter-flags.ts'
import type { ReplayOptions, ListOptions } from './replay-work.ts'

const HELP = `
Says first what would be replayed, and asks before it begins; without a terminal --yes is needed. The server does the work: it goes
on when this command ends, and runbell replay cancel stops it.

Without --status it is dead letters. --to-endpoint makes deliveries of events for an endpoint that was made later; --type, --run,
--since, --until and --tenant are about events then.

Examples:
  runbell replay --endpoint ep_01m8… --since 2026-11-30T12:00:00Z
  runbell replay --error timeout --rate 50 --yes
  runbell replay --to-endpoint ep_01m8… --type 'agent.run.*'
  runbell replay --dry-run --json
  runbell replay list
  runbell replay cancel rpl_01m8…`

const work = () => import('./replay-work.ts')
const list = (value: string) => value.split(',')

export function addReplayCommand(program: Command, run: (work: Promise<number>) => Promise<void>): void {
  const replay = program
    .command('replay')
    .description('Send failed deliveries again, all that a filter matches.')
    .enablePositionalOptions()
  addFilterFlags(replay)
    .option('--status <statuses>', 'dead_lettered (default), delivered, cancelled, expired; separated by commas.', list)
    .option('--to-endpoint <id>', 'Send events to this endpoint, which has not had them.')
    .option('--rate <number>', 'Deliveries that become due in a second. Default: 500.', Number)
    .option('--dry-run', 'Only say what would be replayed.')
    .option('-y, --yes', 'Do not ask.')
  addServerFlags(replay)
    .option('--json', 'Print what would be replayed, or the replay when it is done, as one JSON line.')
    .addHelpText('after', HELP)
    .action((options: ReplayOptions) => run(work().then(({ replayAll }) => replayAll(options))))
  addServerFlags(replay.command('list').description('List bulk replays, newest first.'))
    .option('--json', 'Print one JSON line for each.')
    .action((options: ListOptions) => run(work().then(({ listReplays }) => listReplays(options))))
  addServerFlags(replay.command('cancel').description('Stop a bulk replay; what it has sent stays sent.'))
    .argument('<id>', 'Its id, as list prints it: rpl_….')
    .option('--json', 'Print the replay as one JSON line.')
    .action((id: string, options: ServerOptions & { json?: boolean }) =>
      run(work().then(({ cancelReplay }) => cancelReplay(id, options))),
    )
}
