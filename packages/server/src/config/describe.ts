import type { LoadedSettings } from './load.ts'
import type { SettingSpec } from './setting-spec.ts'
import { SETTINGS, type Settings } from './settings.ts'

/** One effective setting, as `runbell config` prints it. */
export interface DescribedSetting {
  /** Its environment variable. */
  name: string
  flag: string | null
  /** Secrets read as `•••`. */
  value: string
  origin: 'flag' | 'environment' | 'default'
}

export function describeSettings({ settings, origins }: LoadedSettings): DescribedSetting[] {
  return (Object.keys(SETTINGS) as (keyof Settings)[]).map((key) => {
    const { env, flag, format } = SETTINGS[key] as SettingSpec<unknown>
    return { name: env, flag, value: format(settings[key]), origin: origins[key] }
  })
}
