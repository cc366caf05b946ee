import { Option, type Command } from 'commander'
import type { SettingSpec } from '../config/setting-spec.ts'
import { SETTINGS } from '../config/settings.ts'

/** Flags by name without dashes, as `loadSettings` takes them. */
export type Flags = Readonly<Record<string, string | undefined>>

const SPECS = Object.values(SETTINGS) as SettingSpec<unknown>[]

/** Adds a flag for every setting that has one, with its variable and default in the help. */
export function addSettingFlags(command: Command, kind: 'dev' | 'start'): Command {
  for (const spec of SPECS) {
    if (spec.flag === null) continue
    const preset = spec.format(spec.default(kind))
    const detail = preset === '' ? spec.env : `${spec.env}, default ${preset}`
    command.addOption(new Option(`${spec.flag} <value>`, `${spec.meaning} (${detail})`))
  }
  return command
}

/** The settings among parsed options. */
export function settingFlags(options: Readonly<Record<string, unknown>>): Flags {
  const names = SPECS.flatMap(({ flag }) => flag ?? []).map((flag) => flag.slice(2))
  const given = names.map((name) => [name, options[camelCase(name)]] as const)
  return Object.fromEntries(given.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

/** As commander names options. */
function camelCase(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
