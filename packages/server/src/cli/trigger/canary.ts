import type { AttemptView, DeliveryView, EndpointView, Page } from '@runbell/sdk/contract'
import { newEventId, newProducerId } from '@runbell/sdk/emit'
import { setTimeout as wait } from 'node:timers/promises'
import type { ApiClient } from '../api-client.ts'
import { CliError } from '../cli-error.ts'
import type { Publishable } from './fresh-sample.ts'
import { oddJson } from './odd-json.ts'
import { publish } from './publish.ts'

export type CanaryVerdict = 'keeps_bytes' | 'changes_bytes' | 'takes_neither' | 'no_answer'

export interface CanaryResult {
  endpoint_id: string
  endpoint: string
  verdict: CanaryVerdict
  /** What it answered to the plain event, and to the canary; `null`: nothing came. */
  plain_status: number | null
  canary_status: number | null
}

/** The longest that an attempt may take, and a margin. */
const PATIENCE_MS = 65_000
const ASK_EVERY_MS = 150

/**
 * Sends the same content twice: once as everybody prints JSON, and once so that its bytes do not survive being parsed and printed
 * again. Whoever takes the first and not the second verifies something else than what came.
 */
export async function sendCanary(api: ApiClient, event: Publishable): Promise<CanaryResult[]> {
  const now = Date.now()
  const plain = await publish(api, event)
  // A run ends once: the second event is of a run of its own.
  const run = event.run_id === undefined ? {} : { run_id: newProducerId('run', 'test', now) }
  const canary = { ...event, ...run, event_id: newEventId('test', now) }
  const { data, ...envelope } = canary
  const odd = await publish(api, canary, `${JSON.stringify(envelope).slice(0, -1)},"data":${oddJson(data)}}`)
  if (odd.deliveries === 0) {
    throw new CliError(`no endpoint receives ${event.type}: make one, or name a type that one receives`)
  }
  const until = performance.now() + PATIENCE_MS
  const first = await firstAnswers(api, plain.event_id, plain.deliveries, until)
  const second = await firstAnswers(api, odd.event_id, odd.deliveries, until)
  const results = [...second].map(async ([endpointId, canaryStatus]): Promise<CanaryResult> => {
    const plainStatus = first.get(endpointId) ?? null
    const { description, url } = await api.get<EndpointView>(`/v1/endpoints/${endpointId}`)
    return {
      endpoint_id: endpointId,
      endpoint: (description || (url ?? endpointId)).replaceAll(/\p{C}/gu, '').slice(0, 80),
      verdict: verdictOf(plainStatus, canaryStatus),
      plain_status: plainStatus,
      canary_status: canaryStatus,
    }
  })
  return await Promise.all(results)
}

function verdictOf(plain: number | null, canary: number | null): CanaryVerdict {
  if (isTaken(canary)) return 'keeps_bytes'
  if (isTaken(plain)) return canary === null ? 'no_answer' : 'changes_bytes'
  return plain === null && canary === null ? 'no_answer' : 'takes_neither'
}

function isTaken(status: number | null): boolean {
  return status !== null && status >= 200 && status < 300
}

/** The status of the first attempt at each endpoint, as soon as all have one. */
async function firstAnswers(
  api: ApiClient,
  eventId: string,
  expected: number,
  until: number,
): Promise<Map<string, number | null>> {
  const answers = new Map<string, number | null>()
  const open = new Map<string, string>()
  const { data } = await api.get<Page<DeliveryView>>(`/v1/events/${eventId}/deliveries?limit=200`)
  for (const { id, endpoint_id: endpointId } of data) open.set(id, endpointId)
  if (data.length < expected && data.length < 200) throw new CliError('the deliveries of the event cannot be seen')
  while (open.size > 0) {
    for (const [id, endpointId] of open) {
      const attempts = await api.get<Page<AttemptView>>(`/v1/deliveries/${id}/attempts`)
      const attempt = attempts.data.find(({ number }) => number === 1)
      if (attempt === undefined || attempt.outcome === null) continue
      answers.set(endpointId, attempt.status_code)
      open.delete(id)
    }
    if (open.size === 0) break
    if (performance.now() > until) {
      for (const endpointId of open.values()) answers.set(endpointId, null)
      break
    }
    await wait(ASK_EVERY_MS)
  }
  return answers
}
