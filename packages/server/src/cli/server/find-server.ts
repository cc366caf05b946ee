import type { Mode } from '@runbell/sdk/contract'
import { parseApiKey } from '../../api/access/api-key.ts'
import { createApiClient, type ApiClient } from '../api-client.ts'
import { CliError, EXIT } from '../cli-error.ts'
import { findDevFile } from '../dev-file.ts'

/** Which server a command talks to. */
export interface ServerOptions {
  url?: string
  key?: string
  dataDir?: string
}

export interface FoundServer {
  api: ApiClient
  /** Without a slash at its end. */
  url: string
  key: string
  mode: Mode
}

const DEFAULT_URL = 'http://127.0.0.1:4600'
const DEFAULT_DATA_DIR = './.runbell'

/**
 * The server and the key to ask it with: flags before environment before what `runbell dev` has left in its data folder. Its key
 * goes to its own address alone.
 * @throws CliError where an address or a key is missing or cannot be one
 */
export function findServer(options: ServerOptions): FoundServer {
  const environment = process.env
  const given = options.url ?? environment['RUNBELL_URL']
  const key = options.key ?? environment['RUNBELL_API_KEY']
  const dev = findDevFile(options.dataDir ?? environment['RUNBELL_DATA_DIR'] ?? DEFAULT_DATA_DIR)
  const url = given ?? dev?.url ?? DEFAULT_URL
  const parsed = URL.parse(url)
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new CliError(`--url "${url}" is not a URL: write one such as ${DEFAULT_URL}`, EXIT.usage)
  }
  const isDev = dev !== null && dev.url !== null && parsed.origin === URL.parse(dev.url)?.origin
  const chosen = key ?? (isDev ? dev.apiKey : undefined)
  if (chosen === undefined) {
    throw new CliError(
      `${url} asks for an API key: give it in RUNBELL_API_KEY or with --key, or start runbell dev in this folder`,
      EXIT.usage,
    )
  }
  const asking = parseApiKey(chosen)
  if (asking === null) {
    throw new CliError('what --key (RUNBELL_API_KEY) holds is not an API key: copy it again, whole', EXIT.usage)
  }
  return { api: createApiClient(url, chosen), url: url.replace(/\/+$/, ''), key: chosen, mode: asking.mode }
}
