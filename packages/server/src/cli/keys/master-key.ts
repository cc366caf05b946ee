import {
  chmodSync,
  chownSync,
  existsSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import type { AuditEntry } from '../../core/audit/audit-entry.ts'
import { loadSettings } from '../../config/load.ts'
import { MasterKeyError, parseMasterKeys } from '../../secrets/master-key.ts'
import { rotateMasterKey, type Rotated } from '../../secrets/rotate.ts'
import type { Store } from '../../store/store.ts'
import { createSystemRandom } from '../../system.ts'
import { newMasterKey, openMasterKeys } from '../../wiring/master-keys.ts'
import { CliError, EXIT } from '../cli-error.ts'
import { printLine } from '../output.ts'
import { whereKeysLive, type WhereOptions } from './where-keys-live.ts'

export interface GenerateOptions {
  prependTo?: string
}

export interface RotateOptions extends WhereOptions {
  masterKeyFile?: string
  json?: boolean
}

/** @throws CliError where the file holds something else than master keys */
export async function generateMaster({ prependTo }: GenerateOptions): Promise<number> {
  const key = newMasterKey()
  if (prependTo === undefined) printLine(key)
  else prepend(key, prependTo)
  return EXIT.ok
}

/**
 * Replaced as a whole: whoever reads it meanwhile sees the old keys or all of them. A link goes on being one, and who could read the
 * file still can: it is the server's, whoever runs this.
 */
function prepend(key: string, named: string): void {
  const isThere = existsSync(named)
  const path = isThere ? realpathSync(named) : named
  const before = isThere ? readFileSync(path, 'utf8') : ''
  try {
    if (before.trim() !== '') parseMasterKeys(before, path)
  } catch (error) {
    if (error instanceof MasterKeyError) throw new CliError(`${error.message}: nothing was changed`)
    throw error
  }
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, `${key}\n${before}`, { mode: 0o600, flag: 'wx' })
  try {
    if (isThere) likeBefore(draft, path)
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft)
    throw error
  }
}

/** @throws CliError where only another user can make it so */
function likeBefore(draft: string, path: string): void {
  const { uid, gid, mode } = statSync(path)
  try {
    chownSync(draft, uid, gid)
    chmodSync(draft, mode & 0o777)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error
    throw new CliError(`${path} belongs to another user, who has to do this: nothing was changed`)
  }
}

interface RotatedView {
  master_key_id: string
  rewrapped: number
  retired_master_key_ids: string[]
}

/** @throws CliError · MasterKeyError */
export async function rotateMaster(options: RotateOptions): Promise<number> {
  const rotated = await whereKeysLive<RotatedView>(options, {
    database: async (store) => viewOf(await rotateOffline(store, options)),
    server: (api) => api.post<RotatedView>('/v1/master-key/rotate'),
  })
  if (options.json === true) {
    printLine(JSON.stringify(rotated))
    return EXIT.ok
  }
  const { master_key_id: id, rewrapped, retired_master_key_ids: retired } = rotated
  printLine(`Every data key is wrapped by the master key ${id} now; ${rewrapped} were wrapped anew.`)
  if (retired.length > 0) printLine(`Nothing needs ${retired.join(', ')} any more: take it out of the configuration.`)
  return EXIT.ok
}

async function rotateOffline(store: Store, { dataDir, masterKeyFile }: RotateOptions): Promise<Rotated> {
  const flags = { 'data-dir': dataDir, 'master-key-file': masterKeyFile }
  const { settings } = loadSettings('start', flags, process.env)
  const masterKeys = await openMasterKeys(settings, 'start')
  const clock = { now: () => Date.now() }
  const entry: AuditEntry = {
    ...{
      mode: 'live',
      tenantId: null,
      at: Date.now(),
      actor: 'cli',
      action: 'master_key.rotated',
      target: 'master_key',
    },
    ...{ requestId: null, detail: {} },
  }
  return await rotateMasterKey({ store, masterKeys, random: createSystemRandom(), clock }, [entry])
}

function viewOf({ masterKeyId, rewrapped, retired }: Rotated): RotatedView {
  return { master_key_id: masterKeyId, rewrapped, retired_master_key_ids: retired }
}
