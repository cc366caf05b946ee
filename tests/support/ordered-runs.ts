import type { BatchAccepted } from '@runbell/sdk/contract'
import { expect } from 'vitest'
import { anEvent, createEndpoint, newType, post } from './client.ts'
import { startReceiver, type Received } from './receiver.ts'
import { until } from './until.ts'

/** Of the whole size are 200 runs of 20 events: `RUNBELL_ORDERED_RUNS=200`. */
const RUNS = Number(process.env['RUNBELL_ORDERED_RUNS'] ?? 40)
const EVENTS = RUNS >= 200 ? 20 : 10
/** Of the first tries of each delivery so many in a hundred fail. */
const FAILURES = 20

interface Body {
  run_id: string
  sequence: number
}

const bodyOf = ({ body }: Received) => JSON.parse(body.toString()) as Body

/** The same for the same delivery on every machine, and as if it were random. */
function fails({ run_id, sequence }: Body, tries: number): boolean {
  return tries < 2 && (Number(run_id.slice(3)) * 7 + sequence * 13 + tries * 31) % 100 < FAILURES
}

/**
 * Publishes runs, in turns at each of the servers, to an ordered endpoint that fails now and then and never answers well to one of the
 * runs. Of every other run everything arrives, first in the order of `sequence`.
 * @param meanwhile is done once some have arrived
 */
export async function expectOrder(
  servers: () => readonly { url: string }[],
  meanwhile: () => Promise<void> = async () => {},
): Promise<void> {
  const tries = new Map<string, number>()
  const receiver = await startReceiver((_index, request) => {
    const body = bodyOf(request)
    const before = tries.get(request.eventId) ?? 0
    tries.set(request.eventId, before + 1)
    return body.run_id === 'run0' || fails(body, before) ? 503 : 204
  })
  const [first] = servers()
  if (first === undefined) throw new Error('there is no server')
  const type = newType()
  // More tries than fail: nothing becomes a dead letter. Only the run that never gets through waits for its retries.
  const retry_schedule = [20, 20, 20, 60_000, 60_000, 60_000]
  await createEndpoint(first, receiver.url, type, { ordering: 'run', retry_schedule, max_in_flight: 50 })
  for (let nth = 0; nth < EVENTS; nth++) {
    const items = Array.from({ length: RUNS }, (_, run) => anEvent(type, { run_id: `run${run}` }))
    const server = servers()[nth % servers().length] as { url: string }
    const { results } = await post<BatchAccepted>(server, '/v1/events/batch', items)
    expect(results.filter(({ status }) => status !== 'accepted')).toEqual([])
    if (nth === Math.floor(EVENTS / 2)) await meanwhile()
  }
  const wanted = (RUNS - 1) * EVENTS
  const arrived = () => {
    const ids = receiver.received.filter((request) => bodyOf(request).run_id !== 'run0').map(({ eventId }) => eventId)
    return new Set(ids).size
  }
  await until('everything of all runs but one has arrived', arrived, (count) => count === wanted, 120_000)
  const seen = new Set<string>()
  const firsts = new Map<string, number[]>()
  for (const request of receiver.received) {
    if (seen.has(request.eventId)) continue
    seen.add(request.eventId)
    const { run_id, sequence } = bodyOf(request)
    firsts.set(run_id, [...(firsts.get(run_id) ?? []), sequence])
  }
  const inOrder = Array.from({ length: EVENTS }, (_, index) => index + 1)
  for (let run = 1; run < RUNS; run++) expect([run, firsts.get(`run${run}`)]).toEqual([run, inOrder])
  expect(firsts.get('run0')).toEqual([1])
  await receiver.close()
}
