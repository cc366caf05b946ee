import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anEvent, createEndpoint, eventOf, newType, publish, request } from '../support/client.ts'
import { registerOwnTypes } from '../support/own-types.ts'
import { startPostgresServer, type PostgresServer } from '../support/postgres-server.ts'
import { startReceiver, type Receiver } from '../support/receiver.ts'
import { ADMIN_KEY, spawnServer, type ServerProcess } from '../support/server-process.ts'
import { until } from '../support/until.ts'

describe(
  'G16: Database down: API `503`, `/readyz` 503, `/livez` 200; workers reconnect with jitter; no restart needed; ' +
    'in-flight outcomes are recorded when it is back.',
  () => {
    let postgres: PostgresServer
    let dataDir: string
    let server: ServerProcess
    let receiver: Receiver
    let open: () => void = () => {}
    const opened = new Promise<number>((resolve) => (open = () => resolve(204)))

    beforeAll(async () => {
      postgres = await startPostgresServer({ durable: true })
      dataDir = await mkdtemp(join(tmpdir(), 'runbell-g16-'))
      server = await spawnServer(dataDir, { RUNBELL_DATABASE_URL: postgres.url }, [])
      await registerOwnTypes(server.url, [ADMIN_KEY])
      receiver = await startReceiver((index) => (index === 0 ? opened : 204))
    }, 60_000)

    afterAll(async () => {
      await server?.end('SIGKILL')
      await receiver?.close()
      await postgres?.remove()
      await rm(dataDir, { recursive: true, force: true })
    })

    const statusOf = async (path: string) => (await fetch(`${server.url}${path}`)).status

    test('Postgres is killed with attempts in flight and comes back', { timeout: 90_000 }, async () => {
      const type = newType()
      await createEndpoint(server, receiver.url, type)
      const { event_id: inFlight } = await publish(server, anEvent(type))
      await receiver.until((received) => received.length === 1)
      const acknowledged = [inFlight]
      // Under load: whatever is answered 202 has to be there afterwards.
      const publishing = { goesOn: true }
      const load = (async () => {
        while (publishing.goesOn) {
          const answer = await request<{ event_id: string }>(server, 'POST', '/v1/events', { body: anEvent(type) })
          if (answer.status === 202) acknowledged.push(answer.json.event_id)
          else expect(answer.status).toBe(503)
        }
      })()
      await receiver.until((received) => received.length > 5)
      await postgres.kill()

      await until(
        'publishing is refused',
        () => publishStatus(server, type),
        (status) => status === 503,
      )
      await until(
        'it is not ready',
        () => statusOf('/readyz'),
        (status) => status === 503,
      )
      expect(await statusOf('/livez')).toBe(200)
      // The receiver answers while the database is away.
      open()
      await postgres.start()
      await until(
        'it is ready again by itself',
        () => statusOf('/readyz'),
        (status) => status === 200,
        30_000,
      )
      publishing.goesOn = false
      await load

      await until(
        'publishing goes on',
        () => publishStatus(server, type),
        (status) => status === 202,
      )
      for (const eventId of acknowledged) {
        const delivered = async () => (await eventOf(server, eventId)).deliveries
        await until('what was acknowledged is delivered', delivered, ({ delivered: count }) => count === 1, 30_000)
      }
      // Its outcome was put on record: it was not sent again.
      expect(receiver.received.filter(({ eventId }) => eventId === inFlight)).toHaveLength(1)
    })
  },
)

async function publishStatus(server: { url: string }, type: string): Promise<number> {
  return (await request(server, 'POST', '/v1/events', { body: anEvent(type) })).status
}
