import type { AttemptOutcome, AttemptRequest } from '../src/core/attempt-outcome.ts'
import { EndpointCache } from '../src/delivery/endpoint-cache.ts'
import { Lane } from '../src/delivery/lane.ts'
import { Recorder } from '../src/delivery/recorder.ts'
import { createDeliveryRunner, type AttemptLine } from '../src/delivery/run-delivery.ts'
import type { AttemptRecord, Claim, ClaimRef, EndpointRow, RecordResult } from '../src/store/rows.ts'
import { claim, endpoint } from './endpoint.ts'
import { openPlain } from './plain-vault.ts'
import { FakeClock, fakeRandom } from './fake-clock.ts'
import { scriptedStore } from './scripted-store.ts'

export const PHASES = { dns: 1, connect: 2, tls: 3, wait: 4 }

export function response(status: number, headers: Record<string, string> = {}): AttemptOutcome {
  const excerpt = new TextEncoder().encode('thanks')
  return { kind: 'response', status, headers, excerpt, truncated: false, phases: PHASES, durationMs: 12.6 }
}

export function timeout(): AttemptOutcome {
  return { kind: 'failure', outcome: 'timeout', detail: '10.0.0.1 did not answer', phases: PHASES, durationMs: 15_000 }
}

/** Runs claims against one endpoint; the test says what the transport answers and what else is so. */
export function runnerWorld(row: Partial<EndpointRow> = {}) {
  const clock = new FakeClock()
  const state = {
    endpoint: endpoint(row) as EndpointRow | null,
    outcome: response(200),
    result: 'recorded' as RecordResult,
    stopping: false,
    covered: true,
    /** Asked of the lease. */
    asked: [] as number[],
    beforeAnswer: async () => {},
  }
  const seen = {
    requests: [] as AttemptRequest[],
    records: [] as AttemptRecord[],
    releases: [] as (ClaimRef & { dueAt: number })[],
    retries: [] as number[],
    lines: [] as AttemptLine[],
    signed: [] as unknown[],
  }
  const { store } = scriptedStore({
    loadEndpoints: async () => ({ endpoints: state.endpoint === null ? [] : [state.endpoint], configVersion: 1 }),
    async recordAttempts({ records }) {
      seen.records.push(...records)
      return { results: records.map(() => state.result), configVersion: 1 }
    },
    releaseClaims: async ({ claims }) => void seen.releases.push(...claims),
  })
  const nothing = () => {}
  const lane = new Lane('ep_1')
  const recorder = new Recorder({
    ...{ store, clock, random: fakeRandom(), nodeId: 'node-a' },
    ...{ onConfigVersion: nothing, onTrouble: nothing, onStray: nothing },
  })
  const cache = new EndpointCache(store, openPlain)
  const run = createDeliveryRunner({
    ...{ clock, random: fakeRandom(0.5), cache, recorder, userAgent: 'Runbell/0' },
    transport: {
      async send(request) {
        seen.requests.push(request)
        await state.beforeAnswer()
        return state.outcome
      },
      close: async () => {},
    },
    sign(input) {
      seen.signed.push(input)
      return 'v1,signature'
    },
    lease: {
      covers: (ms) => (state.asked.push(ms), state.covered),
      ...{
        sinceRenewal: () => 0,
        failing: () => false,
        start: nothing,
        stop: async () => {},
        runOnce: async () => ({ alive: true }),
      },
    },
    stopping: () => state.stopping,
    answered: nothing,
    onRetry: (_, at) => seen.retries.push(at),
    onAttempt: (line) => seen.lines.push(line),
  })
  return { clock, state, lane, cache, ...seen, run: (input: Partial<Claim> = {}) => run(claim(input), lane) }
}
