import { DELIVERY_STATUSES } from '@runbell/sdk/contract'
import { Option, type Command } from 'commander'
import { addFilterFlags } from '../replay/filter-flags.ts'
import { addServerFlags } from '../server/server-flags.ts'
import type { EndpointAction, RecordOptions as Options } from './records-work.ts'

type Run = (work: Promise<number>) => Promise<void>

/** Loaded when it is needed: help and usage errors need not wait for it. */
const work = () => import('./records-work.ts')
const collect = (value: string, before: string[] | undefined) => [...(before ?? []), ...value.split(',')]

export function addRecordCommands(program: Command, run: Run): void {
  addEventCommands(program, run)
  addDeliveryCommands(program, run)
  addRunCommands(program, run)
  addEndpointCommands(program, run)
  addServerFlags(
    program
      .command('resend')
      .description('Send a delivery, or every delivery of an event, again: the same bytes, signed anew.')
      .argument('<id>', 'dlv_… or evt_….')
      .option('--endpoint <id>', 'Of an event: to this endpoint alone, also one that was made later.')
      .option('--tenant <id>', 'Of this tenant, where the key is bound to none.'),
  )
    .option('--json', 'Print one JSON line for each delivery.')
    .addHelpText(
      'after',
      '\nExamples:\n  runbell resend dlv_test_01m8…\n  runbell resend evt_01m8… --endpoint ep_01m8…',
    )
    .action((id: string, options: Options) => run(work().then((records) => records.resend(id, options))))
}

function addList(parent: Command, description: string, examples: string): Command {
  return addServerFlags(parent.command('list', { isDefault: true }).description(description))
    .option('--limit <count>', 'How many at most. Default: 50.')
    .option('--json', 'Print one JSON line for each.')
    .addHelpText('after', `\nExamples:\n${examples}`)
}

function addShow(parent: Command, description: string): Command {
  return addServerFlags(parent.command('show').description(description).argument('<id>', 'Its id.'))
    .option('--tenant <id>', 'Of this tenant, where the key is bound to none.')
    .option('--json', 'Print it as one line.')
}

function addTimeFlags(command: Command): Command {
  return command
    .option('--type <globs>', 'Of these event types, such as agent.run.*; separated by commas, or repeated.', collect)
    .option('--run <id>', 'Of this run.')
    .option('--since <time>', 'Recorded at this time or later, such as 2026-11-30T12:00:00Z.')
    .option('--until <time>', 'Recorded before this time.')
    .option('--tenant <id>', 'Of this tenant, where the key is bound to none.')
}

function addEventCommands(program: Command, run: Run): void {
  const events = program.command('events').description('Events that were accepted.')
  addTimeFlags(
    addList(
      events,
      'List events, newest first.',
      "  runbell events --type 'agent.run.*' --limit 500 --json\n  runbell events list --run run_test_01m8…",
    ),
  ).action((options: Options) => run(work().then(({ listEvents }) => listEvents(options))))
  addShow(events, 'Show an event with its data, as far as the key may see it.').action((id: string, options: Options) =>
    run(work().then(({ showRecord }) => showRecord('event', id, options))),
  )
}

function addDeliveryCommands(program: Command, run: Run): void {
  const deliveries = program.command('deliveries').description('Deliveries and their attempts.')
  addFilterFlags(
    addList(
      deliveries,
      'List deliveries, newest first.',
      '  runbell deliveries --status pending\n  runbell deliveries --endpoint ep_01m8… --error timeout --json',
    ),
  )
    .option('--status <statuses>', `One or more of ${DELIVERY_STATUSES.join(', ')}, separated by commas.`)
    .action((options: Options & { status?: string }) =>
      run(work().then(({ listDeliveries }) => listDeliveries(options))),
    )
  addShow(deliveries, 'Show a delivery with all its attempts.').action((id: string, options: Options) =>
    run(work().then(({ showRecord }) => showRecord('delivery', id, options))),
  )
}

function addRunCommands(program: Command, run: Run): void {
  const runs = program.command('runs').description('Runs of agents, as their events tell them.')
  addList(runs, 'List runs, newest first.', '  runbell runs --status waiting\n  runbell runs --json --limit 1000')
    .option('--status <status>', 'In this status, such as waiting.')
    .option('--tenant <id>', 'Of this tenant, where the key is bound to none.')
    .action((options: Options & { status?: string }) => run(work().then(({ listRuns }) => listRuns(options))))
  addShow(runs, 'Show what a run has come to.').action((id: string, options: Options) =>
    run(work().then(({ showRecord }) => showRecord('run', id, options))),
  )
}

const ACTIONS: readonly [EndpointAction, string][] = [
  ['pause', 'Hold its deliveries back; they go on with resume.'],
  ['resume', 'Go on after pause.'],
  ['enable', 'Take it back into service, after a fault has disabled it.'],
  ['disable', 'Match no new events; what is pending ends after 7 days.'],
  ['delete', 'Delete it; what is pending to it ends at once.'],
  ['test', 'Send it a sample now, with ids that nobody has. Exit code 5 where it does not take it.'],
]

function addEndpointCommands(program: Command, run: Run): void {
  const endpoints = program.command('endpoints').description('Who receives what.')
  addList(endpoints, 'List endpoints, newest first.', '  runbell endpoints\n  runbell endpoints --json')
    .option('--tenant <id>', 'Of this tenant, where the key is bound to none.')
    .action((options: Options) => run(work().then(({ listEndpoints }) => listEndpoints(options))))
  addShow(endpoints, 'Show an endpoint.').action((id: string, options: Options) =>
    run(work().then(({ showRecord }) => showRecord('endpoint', id, options))),
  )
  addServerFlags(
    endpoints
      .command('create')
      .description('Make an endpoint, and print its secret, this once.')
      .argument('<port|url>', 'Where it receives events; a port is one of this machine.')
      .option('--type <globs>', 'Event types it gets, such as agent.run.*. Default: all.', collect)
      .option('--data-class <classes>', 'Classes of data it may receive besides public and summary.', collect)
      .option('--tenant <id>', 'Whose events it gets; * is everybody.')
      .option('--description <text>', 'What it is.'),
  )
    .option('--json', 'Print the endpoint, with its secret, as one JSON line.')
    .addHelpText('after', "\nExamples:\n  export RUNBELL_SECRET=$(runbell endpoints create 3000 --type 'agent.run.*')")
    .action((target: string, options: Options) =>
      run(work().then(({ createEndpoint }) => createEndpoint(target, options))),
    )
  for (const [action, description] of ACTIONS) {
    addServerFlags(endpoints.command(action).description(description).argument('<id>', 'Its id.'))
      .addOption(new Option('--tenant <id>', 'Of this tenant, where the key is bound to none.'))
      .option('--json', 'Print what came of it as one JSON line.')
      .action((id: string, options: Options) =>
        run(work().then(({ changeEndpoint }) => changeEndpoint(action, id, options))),
      )
  }
}
