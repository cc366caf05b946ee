import { Secret } from '../core/secret.ts'
import { SettingError, type SettingSpec } from './setting-spec.ts'

export interface MasterKeySettings {
  masterKey: Secret | null
  /** Empty: none. */
  masterKeyFile: string
  /** Empty: none. */
  masterKeyCommand: string
}

const WHAT = 'the key that seals secrets in the database: base64 of 32 bytes. One that it follows on stands behind it.'

export const MASTER_KEY_SETTINGS: { readonly [Name in keyof MasterKeySettings]: SettingSpec<MasterKeySettings[Name]> } =
  {
    masterKey: {
      env: 'RUNBELL_MASTER_KEY',
      flag: null,
      meaning: `Holds ${WHAT}`,
      secret: true,
      default: () => null,
      parse: (text) => (text === '' ? null : new Secret(text)),
      format: (key) => (key === null ? '' : String(key)),
    },
    masterKeyFile: {
      env: 'RUNBELL_MASTER_KEY_FILE',
      flag: '--master-key-file',
      meaning: `File with ${WHAT}`,
      default: () => '',
      parse: (text) => text,
      format: String,
    },
    masterKeyCommand: {
      env: 'RUNBELL_MASTER_KEY_COMMAND',
      flag: null,
      meaning: `Command that prints ${WHAT}`,
      default: () => '',
      parse: (text) => text,
      format: String,
    },
  }

/** @throws SettingError where there is more than one place to look */
export function checkMasterKey({ masterKey, masterKeyFile, masterKeyCommand }: MasterKeySettings): void {
  const given = [
    ...(masterKey === null ? [] : ['RUNBELL_MASTER_KEY']),
    ...(masterKeyFile === '' ? [] : ['RUNBELL_MASTER_KEY_FILE']),
    ...(masterKeyCommand === '' ? [] : ['RUNBELL_MASTER_KEY_COMMAND']),
  ]
  if (given.length > 1)
    throw new SettingError(`${given.join(' and ')} both say where the master key is: give one of them`)
}
