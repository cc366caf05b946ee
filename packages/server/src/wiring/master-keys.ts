import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { MasterKeySettings } from '../config/master-key-settings.ts'
import { SettingError } from '../config/setting-spec.ts'
import { MASTER_KEY_BYTES, MasterKeyError, parseMasterKeys, type MasterKey } from '../secrets/master-key.ts'
import { MasterKeys } from '../secrets/master-keys.ts'

type Where = MasterKeySettings & { dataDir: string }

const COMMAND_TIMEOUT_MS = 30_000
const COMMAND_OUTPUT_BYTES = 64 * 1024
const READ_BY_OTHERS = 0o077

/**
 * The master keys that are configured, read. `dev` makes one for itself in the data folder.
 * @throws SettingError where none is configured, or what is cannot be read
 */
export async function openMasterKeys(settings: Where, command: 'dev' | 'start'): Promise<MasterKeys> {
  const keys = new MasterKeys(sourceOf(settings, command))
  try {
    await keys.load()
  } catch (error) {
    if (error instanceof MasterKeyError) throw new SettingError(error.message)
    throw error
  }
  return keys
}

/** Whether others than this user can read the file with the master key. */
export function isExposed({ masterKeyFile }: MasterKeySettings): boolean {
  return masterKeyFile !== '' && process.platform !== 'win32' && (statSync(masterKeyFile).mode & READ_BY_OTHERS) !== 0
}

/** The file in which `dev` keeps its master key. */
export function devMasterKeyFile(dataDir: string): string {
  return join(dataDir, 'master.key')
}

/** A new master key, as it is configured. */
export function newMasterKey(): string {
  return randomBytes(MASTER_KEY_BYTES).toString('base64')
}

function sourceOf(settings: Where, command: 'dev' | 'start'): () => Promise<MasterKey[]> {
  const { masterKey, masterKeyFile, masterKeyCommand, dataDir } = settings
  if (masterKey !== null) return async () => parseMasterKeys(masterKey.reveal(), 'RUNBELL_MASTER_KEY')
  if (masterKeyFile !== '') return async () => parseMasterKeys(await read(masterKeyFile), masterKeyFile)
  if (masterKeyCommand !== '')
    return async () => parseMasterKeys(await ask(masterKeyCommand), 'what the command printed')
  if (command === 'start') {
    throw new SettingError(
      'runbell start needs a master key, which seals the secrets in its database: make one with runbell keys generate-master, ' +
        'keep it where only this server reads it, and name it with RUNBELL_MASTER_KEY_FILE, RUNBELL_MASTER_KEY or ' +
        'RUNBELL_MASTER_KEY_COMMAND',
    )
  }
  const path = devMasterKeyFile(dataDir)
  return async () => parseMasterKeys(readOrMake(path), path)
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new MasterKeyError(`the master key cannot be read from ${path} (${(error as NodeJS.ErrnoException).code})`)
  }
}

/** What it prints may be the key: an error says nothing of it. */
async function ask(command: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', command], {
      ...{ timeout: COMMAND_TIMEOUT_MS, maxBuffer: COMMAND_OUTPUT_BYTES },
    })
    return stdout
  } catch (error) {
    const { code, killed } = error as { code?: number | string; killed?: boolean }
    const why = killed === true ? `did not end within ${COMMAND_TIMEOUT_MS / 1000} s` : `ended with ${code}`
    throw new MasterKeyError(`the command of RUNBELL_MASTER_KEY_COMMAND ${why}`)
  }
}

/** Of two that start at once one makes it, whole, and the other reads it. */
function readOrMake(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, `${newMasterKey()}\n`, { mode: 0o600 })
  try {
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft)
  }
  return readFileSync(path, 'utf8')
}
