import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Scenario, Sizes } from './scenario.ts'

export interface Choice {
  scenarios: Scenario[]
  rounds: number
  seconds: number
  quick: boolean
  jsonFile: string | null
  databaseUrl: string | null
  logLevel: string
  sizes: Sizes
}

const OPTIONS = {
  rounds: { type: 'string', default: '5' },
  seconds: { type: 'string', default: '2' },
  json: { type: 'string' },
  quick: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
  database: { type: 'string' },
  'log-level': { type: 'string', default: 'warn' },
  backlog: { type: 'string', default: '1000000' },
  history: { type: 'string', default: '10000000' },
} as const

const HELP = `npm run bench -- [scenario …] [options]

Measures Runbell beside the limits of this machine. Without names it runs those that are not long.

  --rounds N        rounds that count; one is discarded where others keep more than 0.2 of a processor busy   (5)
  --seconds N       how long each variant is measured in a round                                              (2)
  --json FILE       every figure of every round goes there
  --quick           one round of half a second: to see that it works, and for nothing else
  --log-level NAME  what the server logs, to nowhere; info is what runbell start does                         (warn)
  --database URL    postgres://…, of a database with nothing in it; otherwise the embedded one
  --backlog N       pending deliveries, where there is a backlog                                              (1000000)
  --history N       attempts of the past, where there is a history                                            (10000000)
  --list            names the scenarios
  --help            prints this

Databases are made in TMPDIR and taken away.
`

/** @returns `null` where everything asked for has been printed. @throws Error in a sentence */
export function readCommandLine(args: readonly string[], all: readonly Scenario[]): Choice | null {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
  if (values.help) return print(HELP)
  if (values.list) return print(listOf(all))
  const jsonFile = values.json ?? null
  // Before anything is measured that could not be kept.
  if (jsonFile !== null) writeFileSync(jsonFile, '')
  return {
    scenarios:
      positionals.length === 0 ? all.filter(({ long }) => long !== true) : positionals.map((name) => find(name, all)),
    rounds: values.quick ? 1 : atLeastOne('--rounds', values.rounds),
    seconds: values.quick ? 0.5 : positive('--seconds', values.seconds),
    quick: values.quick,
    jsonFile,
    databaseUrl: values.database ?? null,
    logLevel: values['log-level'],
    sizes: { backlog: atLeastOne('--backlog', values.backlog), history: atLeastOne('--history', values.history) },
  }
}

function print(text: string): null {
  process.stdout.write(text)
  return null
}

function listOf(all: readonly Scenario[]): string {
  const line = ({ name, summary, takes, long }: Scenario) =>
    `${name.padEnd(20)} ${(long === true ? 'named only' : '').padEnd(11)} ${`${takes} s`.padStart(6)}  ${summary}\n`
  return all.map(line).join('')
}

function find(name: string, all: readonly Scenario[]): Scenario {
  const scenario = all.find((known) => known.name === name)
  if (scenario !== undefined) return scenario
  throw new Error(`there is no scenario ${name}; there are ${all.map((known) => known.name).join(', ')}`)
}

function atLeastOne(name: string, text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new Error(`${name} is a whole number from 1 on`)
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new Error(`${name} is a number of seconds above 0`)
}
