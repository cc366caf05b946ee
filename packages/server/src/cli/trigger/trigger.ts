import { Option, type Command } from 'commander'
import { addServerFlags } from '../server/server-flags.ts'
import { STORY_NAMES } from './story-names.ts'
import type { TriggerOptions } from './trigger-work.ts'

const HELP = `
Only in test mode: ids are new each time and have _test_ in them, and times are of now. The server and its key are those of --url and
--key, of the environment, or those that runbell dev has left in its data folder.

--set names a field from the event, such as agent.name, or from its data, such as summary; its value is JSON, or else text.

Stories are whole runs, published one event after the other:
  refund     an agent asks a person, who approves, and pays
  approval   the same, up to where a person has to decide: it is left open
  failure    an attempt fails, and so does the next one
  partial    some of it is done, and a person is asked to do the rest
  expired    nobody decides in time

--canary publishes a plain event and one whose bytes do not survive JSON.parse and JSON.stringify, both of the same content, and
tells which endpoints take the first and refuse the second: they verify what they have printed again, not what came.

Examples:
  runbell trigger agent.run.completed
  runbell trigger agent.approval.requested --set summary='Refund 84.00 EUR?' --set agent.name=desk
  runbell trigger --story refund --max-wait 0
  runbell trigger --canary
  runbell trigger --list

Exit codes:
  0  published; with --canary: every endpoint keeps the bytes
  1  it could not be done
  2  asked for wrongly
  5  --canary: an endpoint does not keep the bytes`

const collect = (value: string, before: string[] | undefined) => [...(before ?? []), value]

export function addTriggerCommand(program: Command, run: (work: Promise<number>) => Promise<void>): void {
  const command = program
    .command('trigger')
    .description('Publish a sample of an event type, or a whole run, in test mode.')
    .argument('[type]', 'The event type, such as agent.run.completed.')
    .option('--set <path=value>', 'Change a field of the sample. Can be repeated.', collect)
    .addOption(new Option('--story <name>', 'Publish a whole run.').choices(STORY_NAMES))
    .option('--max-wait <seconds>', 'With --story: wait no longer than this between two events. Default: 2.')
    .option('--canary', 'Find the endpoints that verify something else than the bytes that came.')
    .option('--list', 'Print the event types there are.')
  addServerFlags(command)
    .option('--json', 'Print one JSON line for each event that was published.')
    .addHelpText('after', HELP)
    .action((type: string | undefined, options: TriggerOptions) =>
      run(import('./trigger-work.ts').then(({ trigger }) => trigger(type, options))),
    )
}
