import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Webhook } from 'standardwebhooks'
import { describe, expect, test } from 'vitest'
import {
  anEvent,
  createEndpoint,
  deliveryOf,
  eventOf,
  get,
  newType,
  publish,
  untilDelivery,
} from '../support/client.ts'
import { startReceiver } from '../support/receiver.ts'
import { startServer } from '../support/server-process.ts'

const DAY = 86_400_000
const YEAR = 365 * DAY

/** As if the wall clock had been off by so much when the server last ran: what it takes for the time is on record. */
function shiftHighWater(dataDir: string, byMs: number): void {
  const db = new DatabaseSync(join(dataDir, 'runbell.db'))
  db.prepare(`UPDATE settings SET value = ? WHERE name = 'high_water'`).run(Date.now() + byMs)
  db.close()
}

describe(
  'G14: Wall-clock jumps of a day or ten years cause no retry storm, no stuck delivery, no early deletion. Timeouts and leases use the ' +
    'monotonic or the database clock.',
  () => {
    test.each([
      ['a day back', DAY],
      ['ten years back', 10 * YEAR],
      ['an hour ahead', -DAY / 24],
      ['ten years ahead', -10 * YEAR],
    ])('%s between two starts', async (_name, byMs) => {
      const dataDir = await mkdtemp(join(tmpdir(), 'runbell-clock-'))
      const environment = { RUNBELL_RETRY_SCHEDULE: '200ms,200ms,5m' }
      let failing = true
      const receiver = await startReceiver(() => (failing ? 503 : 204))
      let server = await startServer(dataDir, environment)
      const type = newType()
      const { secret = '' } = await createEndpoint(server, receiver.url, type)
      const { event_id: waiting } = await publish(server, anEvent(type))
      await receiver.until((received) => received.length === 3)
      await untilDelivery(server, waiting, ({ attempt_count: count }) => count === 3)
      await server.end('SIGTERM')
      shiftHighWater(dataDir, byMs)

      failing = false
      server = await startServer(dataDir, environment)
      // What was accepted is there, and so are its attempts.
      expect(await eventOf(server, waiting)).toMatchObject({ event_id: waiting, data: { n: 1 } })
      const { event_id: fresh } = await publish(server, anEvent(type))
      expect(await untilDelivery(server, fresh)).toMatchObject({ status: 'delivered', attempt_count: 1 })
      const delivery = await deliveryOf(server, waiting)
      const isDue = byMs > 0
      // Service time never goes back: where it had run ahead, what waits is due. It never jumps ahead further than an outage can last.
      if (isDue) expect(await untilDelivery(server, waiting)).toMatchObject({ status: 'delivered', attempt_count: 4 })
      else if (byMs < -60 * DAY) expect(delivery).toMatchObject({ status: 'pending', attempt_count: 3 })
      for (const { body, headers } of receiver.received) {
        // Signatures have the wall clock's time, which receivers compare with their own.
        new Webhook(secret).verify(body.toString(), headers as Record<string, string>)
      }
      expect(receiver.received.length).toBeLessThanOrEqual(5)
      const { data } = await get<{ data: unknown[] }>(server, `/v1/events?type=${type}`)
      expect(data).toHaveLength(2)
      expect(await server.end('SIGTERM')).toBe(0)
      await receiver.close()
      await rm(dataDir, { recursive: true })
    })
  },
)
