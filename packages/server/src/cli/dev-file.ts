import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSecret } from '@runbell/sdk/signing'
import { createApiKey, parseApiKey } from '../api/access/api-key.ts'
import { createSystemRandom } from '../system.ts'
import { CliError } from './cli-error.ts'

/** What `runbell dev` keeps between runs, so that a key in an `.env` file and an inbox stay valid. */
export interface DevFile {
  /** An admin key of test mode. */
  apiKey: string
  /** `null` before the first run has made it. */
  inbox: { endpointId: string; secret: string } | null
  /** Where it answers, or answered last; `null` before the first run. */
  url: string | null
}

/** As it is written. */
interface Stored {
  api_key: string
  inbox: { endpoint_id: string; secret: string } | null
  url?: string
}

export function devFilePath(dataDir: string): string {
  return join(dataDir, 'dev.json')
}

/**
 * Reads the file, or starts a new one with a fresh key.
 * @throws CliError where it is there and is not what `writeDevFile` writes
 */
export function readDevFile(dataDir: string): DevFile {
  const path = devFilePath(dataDir)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT')
      throw new CliError(`${path} cannot be read (${code}): change its rights, or choose another --data-dir`)
    const { key } = createApiKey({ mode: 'test', scopes: ['admin'], random: createSystemRandom(), now: Date.now() })
    return { apiKey: key, inbox: null, url: null }
  }
  const stored = parse(text)
  if (stored === null) {
    throw new CliError(
      `${path} is not what runbell dev wrote there: delete it, and the next start makes a new key and inbox`,
    )
  }
  return fileOf(stored)
}

/** What `runbell dev` has left in this folder; `null`: nothing that can be used. Makes nothing. */
export function findDevFile(dataDir: string): DevFile | null {
  try {
    const stored = parse(readFileSync(devFilePath(dataDir), 'utf8'))
    return stored === null ? null : fileOf(stored)
  } catch {
    return null
  }
}

function fileOf({ api_key: apiKey, inbox, url }: Stored): DevFile {
  return {
    apiKey,
    inbox: inbox === null ? null : { endpointId: inbox.endpoint_id, secret: inbox.secret },
    url: url ?? null,
  }
}

/** Readable by this user alone; replaced as a whole, so that no reader sees half of it. */
export function writeDevFile(dataDir: string, { apiKey, inbox, url }: DevFile): void {
  const path = devFilePath(dataDir)
  const stored: Stored = {
    api_key: apiKey,
    inbox: inbox === null ? null : { endpoint_id: inbox.endpointId, secret: inbox.secret },
    ...(url === null ? {} : { url }),
  }
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(stored, null, 2)}\n`, { mode: 0o600 })
  renameSync(draft, path)
}

function parse(text: string): Stored | null {
  try {
    const stored = JSON.parse(text) as Stored
    if (parseApiKey(stored.api_key)?.mode !== 'test') return null
    if (stored.inbox !== null) {
      parseSecret(stored.inbox.secret)
      if (typeof stored.inbox.endpoint_id !== 'string') return null
    }
    if (stored.url !== undefined && URL.parse(stored.url) === null) return null
    return stored
  } catch {
    return null
  }
}
