import { checkDatabase } from './database-settings.ts'
import { checkMasterKey } from './master-key-settings.ts'
import { checkRetention } from './retention-settings.ts'
import { SettingError, type SettingSpec } from './setting-spec.ts'
import { SETTINGS, type Settings } from './settings.ts'

export interface Origin {
  /** `flag`, `environment` or `default`. */
  from: 'flag' | 'environment' | 'default'
}

export interface LoadedSettings {
  settings: Settings
  /** Where each value came from. */
  origins: Record<keyof Settings, Origin['from']>
}

/**
 * The effective settings: flags before environment before defaults. Nothing else reads the environment.
 * @param flags by name without dashes, such as `data-dir`
 * @throws SettingError that names the setting, and what would be right
 */
export function loadSettings(
  command: 'dev' | 'start',
  flags: Readonly<Record<string, string | undefined>>,
  environment: Readonly<Record<string, string | undefined>>,
): LoadedSettings {
  const settings: Partial<Record<keyof Settings, unknown>> = {}
  const origins: Partial<LoadedSettings['origins']> = {}
  for (const name of Object.keys(SETTINGS) as (keyof Settings)[]) {
    const spec = SETTINGS[name] as SettingSpec<unknown>
    const flag = spec.flag === null ? undefined : flags[spec.flag.slice(2)]
    const text = flag ?? environment[spec.env]
    const from = flag !== undefined ? 'flag' : text !== undefined ? 'environment' : 'default'
    settings[name] = text === undefined ? spec.default(command) : read(spec, text, from)
    origins[name] = from
  }
  checkDatabase(settings as unknown as Settings)
  checkMasterKey(settings as unknown as Settings)
  checkRetention(settings as unknown as Settings)
  return { settings: settings as unknown as Settings, origins: origins as LoadedSettings['origins'] }
}

function read(spec: SettingSpec<unknown>, text: string, from: Origin['from']): unknown {
  try {
    return spec.parse(text.trim())
  } catch (error) {
    if (!(error instanceof SettingError)) throw error
    const name = from === 'flag' ? spec.flag : spec.env
    throw new SettingError(spec.secret === true ? `${name} ${error.message}` : `${name}="${text}": ${error.message}`)
  }
}
