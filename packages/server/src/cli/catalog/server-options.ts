import { parseApiKey } from '../../api/access/api-key.ts'
import { createApiClient, type ApiClient } from '../api-client.ts'
import { CliError, EXIT } from '../cli-error.ts'

/** Which server a command talks to. */
export interface ServerOptions {
  url?: string
  key?: string
}

/** Whether anybody said which server; then it is asked. */
export function isServerGiven({ url, key }: ServerOptions): boolean {
  return (url ?? key ?? process.env['RUNBELL_URL'] ?? process.env['RUNBELL_API_KEY']) !== undefined
}

/** @throws CliError where the address or the key cannot be one */
export function connect(options: ServerOptions): { api: ApiClient; url: string } {
  const url = options.url ?? process.env['RUNBELL_URL'] ?? 'http://127.0.0.1:4600'
  const key = options.key ?? process.env['RUNBELL_API_KEY']
  if (URL.parse(url) === null) {
    throw new CliError(`--url "${url}" is not a URL: write one such as http://127.0.0.1:4600`, EXIT.usage)
  }
  if (key === undefined)
    throw new CliError(`${url} asks for an API key: give it with --key (RUNBELL_API_KEY)`, EXIT.usage)
  if (parseApiKey(key) === null) {
    throw new CliError('what --key (RUNBELL_API_KEY) holds is not an API key: copy it again, whole', EXIT.usage)
  }
  return { api: createApiClient(url, key), url }
}
