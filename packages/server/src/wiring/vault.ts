import type { Logger } from 'pino'
import { refused } from '../api/http/problem.ts'
import type { Settings } from '../config/settings.ts'
import type { AuditEntry } from '../core/audit/audit-entry.ts'
import type { DataKeysOptions } from '../secrets/data-keys.ts'
import { MasterKeyError } from '../secrets/master-key.ts'
import { rotateMasterKey, type Rotated } from '../secrets/rotate.ts'
import { sealOld } from '../secrets/seal-old.ts'
import { Vault } from '../secrets/vault.ts'
import { isExposed } from './master-keys.ts'

type Ground = Omit<DataKeysOptions, 'onTrouble'>

/** @throws MasterKeyError where the master key does not fit the database */
export async function unlockVault(ground: Ground, settings: Settings, log: Logger): Promise<Vault> {
  const vault = new Vault({ ...ground, onTrouble: (error) => log.error({ err: error }, 'secrets.trouble') })
  await vault.unlock()
  if (isExposed(settings)) {
    log.warn({ file: settings.masterKeyFile }, 'others than this user can read the file with the master key: chmod 600')
  }
  const sealed = await sealOld(ground.store, vault, ground.clock.now())
  if (sealed > 0) log.info({ endpoints: sealed }, 'secrets.sealed')
  return vault
}

/** @throws Refused where the master keys that are configured now do not do */
export async function rotateForApi(ground: Ground, audit: readonly AuditEntry[]): Promise<Rotated> {
  try {
    return await rotateMasterKey(ground, audit)
  } catch (error) {
    if (!(error instanceof MasterKeyError)) throw error
    const fix = 'Configure the new master key first and the one it follows on behind it, then rotate again.'
    throw refused('state_conflict', `Nothing was changed: ${error.message}.`, fix)
  }
}
