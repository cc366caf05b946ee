import { mkdtemp, rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BulkReplayView } from '@runbell/sdk/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { anEvent, createEndpoint, get, newType, post, publish } from '../support/client.ts'
import { startReceiver, type Receiver } from '../support/receiver.ts'
import { startServer, type ServerProcess } from '../support/server-process.ts'
import { until } from '../support/until.ts'

/** Each sends so few at a time while it fails that many together are faster. */
const ENDPOINTS = 21
/** 1,050 deliveries in `npm test`; `npm run crash` recovers 10,500. */
const EVENTS = Number(process.env['RUNBELL_CRASH_ROUNDS'] ?? 10) * 5
const FAILED = EVENTS * ENDPOINTS
/** The replay takes about four seconds, so that there is something to kill. */
const RATE = Math.ceil(FAILED / 4)
const PATIENCE_MS = 60_000 + FAILED * 20

let dataDir: string
let receiver: Receiver
let isDown = true
/** Takes nothing, before and after. */
let hopeless: Receiver

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'runbell-bulk-replay-'))
  receiver = await startReceiver(() => (isDown ? 503 : 204))
  hopeless = await startReceiver(() => 500)
})

afterAll(async () => {
  await receiver.close()
  await hopeless.close()
  await rm(dataDir, { recursive: true, force: true })
})

/** Publishes what fails, until all of it is dead letters. Returns the ids of the events. */
async function failAll(server: ServerProcess, type: string): Promise<Set<string>> {
  const events = Array.from({ length: EVENTS }, () => anEvent(type))
  const { results } = await post<{ results: { event_id: string }[] }>(server, '/v1/events/batch', events)
  await until(
    'everything has failed',
    () => get<{ data: { count: number }[] }>(server, '/v1/dead-letters?group_by=type'),
    ({ data }) => data[0]?.count === FAILED,
    PATIENCE_MS,
  )
  return new Set(results.map(({ event_id: id }) => id))
}

/** Publishes to both endpoints until the server is gone; what it acknowledged is added. */
async function publishOn(server: ServerProcess, types: [string, string], acknowledged: Set<string>): Promise<void> {
  for (let count = 0; ; count++) {
    try {
      const { event_id: id } = await publish(server, anEvent(types[count % 2] as string))
      if (count % 2 === 0) acknowledged.add(id)
    } catch {
      return
    }
  }
}

interface Outcome {
  id: string
  event_id: string
  status: number
  replays: number
  attempt_count: number
  unknown: number
}

/** What has become of every delivery, as the database has it. */
function readOutcomes(): Outcome[] {
  const database = new DatabaseSync(join(dataDir, 'runbell.db'), { readOnly: true })
  const rows = database
    .prepare(
      `SELECT d.id, e.event_id, d.status, d.replays, d.attempt_count,
         (SELECT count(*) FROM attempts a WHERE a.delivery = d.position AND a.outcome = 9) AS unknown
       FROM deliveries d JOIN events e ON e.position = d.event`,
    )
    .all() as unknown as Outcome[]
  database.close()
  return rows
}

test(
  `${FAILED} failed deliveries are recovered by one bulk replay, each once and none missed, while new ones come and fail and ` +
    'the process is killed twice',
  { timeout: PATIENCE_MS * 3 },
  async () => {
    const [type, failing] = [newType(), newType()]
    let server = await startServer(dataDir)
    for (let count = 0; count < ENDPOINTS; count++) {
      await createEndpoint(server, receiver.url, type, { retry_schedule: [] })
    }
    await createEndpoint(server, hopeless.url, failing, { retry_schedule: [] })
    const failed = await failAll(server, type)
    isDown = false
    const { id, matched } = await post<BulkReplayView>(server, '/v1/replays', { rate_per_second: RATE })
    expect(matched).toBe(FAILED)
    const shown = () => get<BulkReplayView>(server, `/v1/replays/${id}`)
    const acknowledged = new Set<string>()
    for (const part of [0.2, 0.6]) {
      const publishing = publishOn(server, [type, failing], acknowledged)
      const { status } = await until('a part is done', shown, ({ replayed }) => replayed > FAILED * part)
      expect(status).toBe('running')
      await server.end('SIGKILL')
      await publishing
      server = await startServer(dataDir)
    }
    const done = await until(
      'all of it has ended',
      shown,
      ({ status, outcomes }) => status === 'completed' && outcomes.pending === 0,
      PATIENCE_MS,
    )
    expect(done).toMatchObject({ matched: FAILED, replayed: FAILED, outcomes: { delivered: FAILED } })
    expect(Object.values(done.skipped)).toEqual([0, 0, 0, 0, 0])
    await receiver.until((received) => {
      const ids = new Set(received.map(({ eventId }) => eventId))
      return [...acknowledged].every((eventId) => ids.has(eventId))
    })
    expect(await server.end('SIGTERM')).toBe(0)

    const outcomes = readOutcomes()
    const recovered = outcomes.filter(({ event_id: eventId }) => failed.has(eventId))
    expect(recovered).toHaveLength(FAILED)
    // Delivered, reopened once, and sent once besides the time it failed and the times a kill left nobody knows what.
    const wrong = recovered.filter(
      ({ status, replays, attempt_count: count, unknown }) => status !== 1 || replays !== 1 || count !== 2 + unknown,
    )
    expect(wrong).toEqual([])
    const arrived = new Map<string, number>()
    for (const { headers } of receiver.received) {
      const deliveryId = String(headers['runbell-delivery-id'])
      arrived.set(deliveryId, (arrived.get(deliveryId) ?? 0) + 1)
    }
    const twice = recovered.filter(({ id: deliveryId, unknown }) => {
      const times = (arrived.get(deliveryId) ?? 0) - 1
      return times < 1 || times > 1 + unknown
    })
    expect(twice).toEqual([])
    // What failed meanwhile was not part of it.
    const others = outcomes.filter(({ event_id: eventId }) => !failed.has(eventId))
    expect(others.length).toBeGreaterThan(20)
    expect(others.filter(({ replays }) => replays !== 0)).toEqual([])
    expect(others.some(({ status }) => status === 2)).toBe(true)
  },
)
