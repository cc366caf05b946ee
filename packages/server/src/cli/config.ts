import type { Command } from 'commander'
import { describeSettings, type DescribedSetting } from '../config/describe.ts'
import { loadSettings } from '../config/load.ts'
import { EXIT } from './cli-error.ts'
import { printLine } from './output.ts'
import { addSettingFlags, settingFlags, type Flags } from './setting-flags.ts'

const EXAMPLES = `
Examples:
  runbell config
  RUNBELL_PORT=8080 runbell config --json
  runbell config --dev`

export function addConfigCommand(program: Command, run: (work: Promise<number>) => Promise<void>): void {
  const command = program.command('config').description('Print the effective settings and where each comes from.')
  addSettingFlags(command, 'start')
    .option('--dev', 'The settings of runbell dev, whose defaults differ.')
    .option('--json', 'Print them as one JSON line.')
    .addHelpText('after', EXAMPLES)
    .action((options: { dev?: boolean; json?: boolean }) => {
      return run(printConfig(settingFlags(options), options.dev === true ? 'dev' : 'start', options.json === true))
    })
}

async function printConfig(flags: Flags, command: 'dev' | 'start', json: boolean): Promise<number> {
  const settings = describeSettings(loadSettings(command, flags, process.env))
  if (json) printLine(JSON.stringify({ command, settings }))
  else table(settings).forEach(printLine)
  return EXIT.ok
}

function table(settings: DescribedSetting[]): string[] {
  const rows = [
    ['setting', 'from', 'value'],
    ...settings.map(({ name, origin, value }) => [name, origin, value || '(none)']),
  ]
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
