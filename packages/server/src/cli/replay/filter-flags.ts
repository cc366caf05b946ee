import type { AttemptOutcomeName, BulkReplayFilter } from '@runbell/sdk/contract'
import type { Command } from 'commander'

/** Which deliveries a command is about; the server says what is wrong with them. */
export interface FilterFlags {
  endpoint?: string
  tenant?: string
  type?: string[]
  error?: string
  run?: string
  since?: string
  until?: string
}

const collect = (value: string, before: string[] | undefined) => [...(before ?? []), ...value.split(',')]

export function addFilterFlags(command: Command): Command {
  return command
    .option('--endpoint <id>', 'Deliveries to this endpoint.')
    .option('--error <code>', 'Whose latest attempt ended so, such as timeout or http_error.')
    .option('--type <globs>', 'Of these event types, such as agent.run.*; separated by commas, or repeated.', collect)
    .option('--run <id>', 'Of this run.')
    .option('--since <time>', 'Created at this time or later, such as 2026-11-30T12:00:00Z.')
    .option('--until <time>', 'Created before this time.')
    .option('--tenant <id>', 'Of this tenant, where the key is bound to none.')
}

/** As the body of a request has it. */
export function filterOf({ endpoint, tenant, type, error, run, since, until }: FilterFlags): BulkReplayFilter {
  return {
    ...(endpoint === undefined ? {} : { endpoint_id: endpoint }),
    ...(tenant === undefined ? {} : { tenant_id: tenant }),
    ...(type === undefined ? {} : { type }),
    ...(error === undefined ? {} : { error_code: error as AttemptOutcomeName }),
    ...(run === undefined ? {} : { run_id: run }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  }
}

/** As the query of a list has it. */
export function queryOf(flags: FilterFlags, more: Record<string, string> = {}): string {
  const fields = { ...filterOf(flags), ...more }
  return new URLSearchParams(Object.entries(fields).map(([name, value]) => [name, String(value)])).toString()
}
