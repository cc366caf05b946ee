import { setTimeout as wait } from 'node:timers/promises'
import type { EndpointView } from '@runbell/sdk/contract'
import { ApiRefused, type ApiClient } from '../api-client.ts'
import { CliError } from '../cli-error.ts'
import { forwardAttempt, type RelayedAttempt, type RelayOutcome } from './forward.ts'

export interface ListenTo {
  /** Where attempts go. */
  target: string
  eventTypes: readonly string[] | undefined
  signal: AbortSignal
  onReady(endpoint: EndpointView & { secret?: string }): void
  onAttempt(attempt: RelayedAttempt): void
  onOutcome(attempt: RelayedAttempt, outcome: RelayOutcome): void
  onTrouble(message: string): void
}

/** Between two tries to connect. */
const RETRY_MS = { least: 500, most: 10_000 }

/**
 * Makes a relay endpoint, forwards what it hands out, and removes it at the end. A connection that ends is made anew; an endpoint that
 * has gone meanwhile, too.
 * @throws CliError where the server refuses to make one
 */
export async function listenAsRelay(api: ApiClient, options: ListenTo): Promise<void> {
  const { signal } = options
  let endpoint = await makeEndpoint(api, options)
  options.onReady(endpoint)
  let pause = RETRY_MS.least
  try {
    while (!signal.aborted) {
      try {
        await readStream(api, endpoint.id, options)
        pause = RETRY_MS.least
      } catch (error) {
        if (signal.aborted) break
        if (!(error instanceof CliError)) throw error
        if (error instanceof ApiRefused && error.status === 404) {
          endpoint = await makeEndpoint(api, options)
          options.onReady(endpoint)
          continue
        }
        options.onTrouble(error.message)
      }
      await wait(pause, undefined, { signal }).catch(() => {})
      pause = Math.min(pause * 2, RETRY_MS.most)
    }
  } finally {
    // Where the server is away it goes by itself, 60 s later.
    await api.delete(`/v1/endpoints/${endpoint.id}`).catch(() => {})
  }
}

async function makeEndpoint(
  api: ApiClient,
  { target, eventTypes }: ListenTo,
): Promise<EndpointView & { secret?: string }> {
  return await api.post('/v1/endpoints', {
    kind: 'relay',
    description: `runbell listen ${new URL(target).host}`.slice(0, 500),
    ...(eventTypes === undefined ? {} : { event_types: eventTypes }),
  })
}

/** Until the server ends it. */
async function readStream(api: ApiClient, endpointId: string, options: ListenTo): Promise<void> {
  const path = `/v1/endpoints/${endpointId}/relay`
  let event = ''
  for await (const line of api.lines(path, { headers: { accept: 'text/event-stream' }, signal: options.signal })) {
    if (line.startsWith('event:')) event = line.slice(6).trim()
    else if (line.startsWith('data:') && event === 'attempt') {
      void relay(api, path, JSON.parse(line.slice(5)) as RelayedAttempt, options)
    } else if (line === '') event = ''
  }
}

async function relay(api: ApiClient, path: string, attempt: RelayedAttempt, options: ListenTo): Promise<void> {
  options.onAttempt(attempt)
  const outcome = await forwardAttempt(options.target, attempt)
  options.onOutcome(attempt, outcome)
  try {
    await api.post(`${path}/${encodeURIComponent(attempt.attempt_id)}`, outcome)
  } catch (error) {
    options.onTrouble(error instanceof Error ? error.message : String(error))
  }
}
