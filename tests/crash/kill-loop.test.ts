import { mkdtemp, rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ADMIN_KEY, call, startServer, type ServerProcess } from '../support/server-process.ts'
import { startReceiver, type Receiver } from '../support/receiver.ts'

/** 10 in `npm test`; `npm run crash` runs 100. */
const ROUNDS = Number(process.env['RUNBELL_CRASH_ROUNDS'] ?? 5)
const PUBLISHERS = 4
const ROUND_LIMIT_MS = 20_000

let dataDir: string
let receiver: Receiver

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'runbell-crash-'))
  // One in seven is turned away, so that retries are under way when the process dies.
  receiver = await startReceiver((index) => (index % 7 === 3 ? 503 : 204))
})

afterAll(async () => {
  await receiver.close()
  await rm(dataDir, { recursive: true, force: true })
})

/** Publishes one after another until the server is gone; returns the ids it acknowledged. */
async function publishUntilGone(server: ServerProcess, publisher: number, acknowledged: Set<string>): Promise<void> {
  for (let number = 0; ; number++) {
    try {
      const response = await fetch(`${server.url}/v1/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          type: 'agent.run.started',
          run_id: `run_${publisher}_${server.child.pid}`,
          agent: { id: 'crash-test' },
          data: { status: 'running' },
          metadata: { number: String(number) },
        }),
      })
      const answer = (await response.json()) as { event_id: string }
      if (response.status === 202) acknowledged.add(answer.event_id)
    } catch {
      return
    }
  }
}

/** One life of the server: published to until it is killed at a moment drawn from `moment`. */
async function oneLife(acknowledged: Set<string>, moment: number): Promise<void> {
  const server = await startServer(dataDir, { RUNBELL_RETRY_SCHEDULE: '100ms,200ms,400ms,1s,1s,1s,1s,1s,1s,1s' })
  const { data } = await call<{ data: unknown[] }>(server, 'GET', '/v1/endpoints')
  if (data.length === 0) await call(server, 'POST', '/v1/endpoints', { url: receiver.url, event_types: ['agent.*'] })
  const publishers = Array.from({ length: PUBLISHERS }, (_, index) => publishUntilGone(server, index, acknowledged))
  const before = receiver.received.length
  await receiver.until((received) => received.length >= before + moment)
  await server.end('SIGKILL')
  await Promise.all(publishers)
}

describe('G17: kill -9 is safe at any instant and needs no manual step', () => {
  test(
    `${ROUNDS} rounds: nothing acknowledged is lost and the database stays whole`,
    { timeout: ROUNDS * ROUND_LIMIT_MS },
    async () => {
      const acknowledged = new Set<string>()
      // A different number of deliveries each time, so that the kill falls at different moments of their way.
      for (let round = 0; round < ROUNDS; round++) await oneLife(acknowledged, (round * 7) % 23)
      expect(acknowledged.size).toBeGreaterThan(ROUNDS)

      const server = await startServer(dataDir)
      const arrived = () => new Set(receiver.received.map(({ eventId }) => eventId))
      await receiver.until(() => {
        const ids = arrived()
        return [...acknowledged].every((id) => ids.has(id))
      })
      for (const eventId of [...acknowledged].slice(0, 200)) {
        const event = await call<{ event_id: string }>(server, 'GET', `/v1/events/${eventId}`)
        expect(event.event_id).toBe(eventId)
      }
      expect(await server.end('SIGTERM')).toBe(0)

      const database = new DatabaseSync(join(dataDir, 'runbell.db'), { readOnly: true })
      expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
      database.close()
      // The same event always has the same bytes.
      const bodies = new Map<string, string>()
      for (const { eventId, body } of receiver.received) {
        expect(body.toString()).toBe(bodies.get(eventId) ?? body.toString())
        bodies.set(eventId, body.toString())
      }
    },
  )
})
