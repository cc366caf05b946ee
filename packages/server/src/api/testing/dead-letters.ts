import type { AttemptOutcomeName } from '@runbell/sdk/contract'
import { NODE_ID, sampleEvent, type TestApi } from './test-api.ts'

/** An event, and its delivery to each endpoint of the test, which have all become dead letters. Returns the event's id. */
export async function publishDead(
  test: TestApi,
  fields: Record<string, unknown> = {},
  outcome: AttemptOutcomeName = 'timeout',
): Promise<string> {
  test.slots.grant = true
  const event = sampleEvent(fields)
  const answer = await test.post('/v1/events', { body: event })
  if (answer.status !== 202) throw new Error(answer.text)
  await endInFlight(test, outcome)
  return String(event['event_id'])
}

/** What is in flight ends so: delivered, or dead-lettered. */
export async function endInFlight(test: TestApi, outcome: AttemptOutcomeName = 'timeout'): Promise<void> {
  const now = test.clock.now()
  const verdict =
    outcome === 'delivered'
      ? ({ kind: 'delivered' } as const)
      : ({ kind: 'dead_letter', reason: 'attempts_exhausted' } as const)
  const records = test.slots.started.splice(0).map(({ position, number, trigger }) => ({
    ...{ position, number, trigger, startedAt: now, durationMs: 12, outcome, statusCode: null, verdict },
    ...{ requestHeaders: [], responseHeaders: {}, excerpt: null, truncated: false, endpointEffect: null },
    phases: { dns: null, connect: null, tls: null, wait: null },
  }))
  await test.store.recordAttempts({ nodeId: NODE_ID, now, records })
}
