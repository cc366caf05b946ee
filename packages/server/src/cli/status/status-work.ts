import type { DeliveryView, Page } from '@runbell/sdk/contract'
import { CliError, EXIT } from '../cli-error.ts'
import { printLine } from '../output.ts'
import { findServer, type ServerOptions } from '../server/find-server.ts'

export interface StatusOptions extends ServerOptions {
  output?: 'text' | 'env' | 'json'
  json?: boolean
}

/** Whether a server runs and can be used with the key; `-o env` prints what other programs need to use it, the key too. */
export async function showStatus(options: StatusOptions): Promise<number> {
  const output = options.json === true ? 'json' : (options.output ?? 'text')
  const { api, url, key, mode } = findServer(options)
  if (output === 'env') {
    // Both are checked: neither can hold a quote.
    printLine(`export RUNBELL_URL='${new URL(url).href.replace(/\/+$/, '').replaceAll("'", '%27')}'`)
    printLine(`export RUNBELL_API_KEY='${key}'`)
    return EXIT.ok
  }
  const { version, storage } = await api.get<{ version: string; storage: string }>('/readyz')
  const pending = await pendingCount(() => api.get<Page<DeliveryView>>('/v1/deliveries?status=pending&limit=200'))
  if (output === 'json') printLine(JSON.stringify({ url, mode, version, storage, pending }))
  else {
    printLine(`Runbell ${version} at ${url} is ready, ${mode} mode`)
    printLine(`storage  ${storage}`)
    printLine(`pending  ${pending ?? 'not for this key to see'}`)
  }
  return EXIT.ok
}

/** A key that only publishes sees no deliveries. */
async function pendingCount(list: () => Promise<Page<DeliveryView>>): Promise<string | null> {
  try {
    const { data, next_cursor: more } = await list()
    return more === null ? `${data.length}` : `more than ${data.length}`
  } catch (error) {
    if (error instanceof CliError && 'status' in error && error.status === 403) return null
    throw error
  }
}
