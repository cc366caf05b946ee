import { Option, type Command } from 'commander'
import { addFilterFlags } from '../replay/filter-flags.ts'
import { addServerFlags } from '../server/server-flags.ts'
import type { DiscardOptions, ExportOptions, GroupOptions, ListOptions } from './dead-letters-work.ts'

const HELP = `
Examples:
  runbell dead-letters groups
  runbell dead-letters list --endpoint ep_01m8… --error timeout
  runbell dead-letters export --format csv --out failed.csv
  runbell dead-letters discard dlv_01m8… --note 'known, see ticket 12'

To send them again: runbell replay.`

const work = () => import('./dead-letters-work.ts')

export function addDeadLettersCommand(program: Command, run: (work: Promise<number>) => Promise<void>): void {
  const deadLetters = program
    .command('dead-letters')
    .description('Deliveries whose retries are used up.')
    .addHelpText('after', HELP)
  const sub = (name: string, description: string) => deadLetters.command(name).description(description)
  addServerFlags(addFilterFlags(sub('list', 'List them, newest first.')))
    .option('--limit <number>', 'How many. Default: 50.', Number)
    .option('--json', 'Print one JSON line for each.')
    .action((options: ListOptions) => run(work().then(({ listDeadLetters }) => listDeadLetters(options))))
  addServerFlags(addFilterFlags(sub('groups', 'Count them by endpoint, error and type, the largest group first.')))
    .option('--by <names>', 'endpoint, error_code, type; separated by commas.', 'endpoint,error_code')
    .option('--json', 'Print one JSON line for each group.')
    .action((options: GroupOptions) => run(work().then(({ groupDeadLetters }) => groupDeadLetters(options))))
  addServerFlags(addFilterFlags(sub('export', 'Print all of them, or write them into a file.')))
    .addOption(new Option('--format <name>', 'How.').choices(['ndjson', 'csv']).default('ndjson'))
    .option('--out <file>', 'A file that is there only once it is whole.')
    .action((options: ExportOptions) => run(work().then(({ exportDeadLetters }) => exportDeadLetters(options))))
  addServerFlags(sub('discard', 'Take one off the list; it can still be replayed.'))
    .argument('<id>', 'The delivery, as list prints it: dlv_….')
    .option('--note <text>', 'Why, for those who come after.')
    .option('--json', 'Print it as one JSON line.')
    .action((id: string, options: DiscardOptions) =>
      run(work().then(({ discardDeadLetter }) => discardDeadLetter(id, options))),
    )
}
