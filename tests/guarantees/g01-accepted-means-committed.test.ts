import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import type { Accepted } from '@runbell/sdk/contract'
import { describe, expect, test } from 'vitest'
import {
  anEvent,
  createEndpoint,
  deliveriesOf,
  eventOf,
  newEventId,
  newType,
  post,
  publish,
  request,
} from '../support/client.ts'
import { hasTool } from '../support/machine-tool.ts'
import { TEST_ADMIN_KEY } from '../support/server-process.ts'
import { shareServer } from '../support/shared-server.ts'
import { until } from '../support/until.ts'

const NOWHERE = 'http://127.0.0.1:9/'

describe(
  "G1: `202` means: one transaction has committed the event's exact bytes, its idempotency record, every distinct body " +
    'and one delivery row per matching endpoint. SQLite: WAL with `synchronous=FULL`; Postgres: `synchronous_commit` ' +
    'not `off` (readiness warns).',
  () => {
    const server = shareServer()

    async function pausedEndpoint(type: string, more: Record<string, unknown> = {}): Promise<string> {
      const { id } = await createEndpoint(server, NOWHERE, type, more)
      await post(server, `/v1/endpoints/${id}/pause`)
      return id
    }

    test('one delivery row for each endpoint that matches, and none for the others', async () => {
      const type = newType()
      const last = type.split('.').at(-1)
      const tenant = { tenant_id: 'matching' }
      const matching = [
        await pausedEndpoint(type, tenant),
        await pausedEndpoint(`acme.*.${last}`, tenant),
        await pausedEndpoint('acme.*', tenant),
        await pausedEndpoint('*', tenant),
      ]
      await pausedEndpoint(newType(), tenant)
      await pausedEndpoint(type, { tenant_id: 'somebody-else' })
      await createEndpoint(server, NOWHERE, type, {}, { key: TEST_ADMIN_KEY })
      const disabled = await pausedEndpoint(type, tenant)
      await post(server, `/v1/endpoints/${disabled}/disable`)
      const removed = await pausedEndpoint(type, tenant)
      await request(server, 'DELETE', `/v1/endpoints/${removed}`)

      const { event_id: eventId, deliveries } = await publish(server, anEvent(type, tenant))
      expect(deliveries).toBe(4)
      const rows = await deliveriesOf(server, eventId)
      expect(rows.map(({ endpoint_id }) => endpoint_id).sort()).toEqual(matching.sort())
      expect((await eventOf(server, eventId)).deliveries).toMatchObject({ total: 4, pending: 4 })
    })

    test('what was answered 202 is whole after kill -9 in the same moment', async () => {
      const type = newType()
      for (let endpoint = 0; endpoint < 2; endpoint++) await pausedEndpoint(type)
      const sent = Array.from({ length: 200 }, (_, n) => {
        const eventId = newEventId()
        const data = `{ "n":${n}.0 ,"big":1234567890123456789${n % 10}}`
        return {
          eventId,
          data,
          text: `{"event_id":"${eventId}","type":"${type}","agent":{"id":"a"},"run_id":"r1","data":${data}}`,
        }
      })
      const acknowledged = new Map<string, Accepted>()
      let killed: Promise<unknown> | undefined
      await Promise.all(
        sent.map(async ({ eventId, text }) => {
          const answer = await request<Accepted>(server, 'POST', '/v1/events', { body: text }).catch(() => null)
          if (answer?.status === 202) acknowledged.set(eventId, answer.json)
          if (acknowledged.size === 20) killed ??= server.process.end('SIGKILL')
        }),
      )
      await killed
      await server.start()

      expect(acknowledged.size).toBeGreaterThanOrEqual(20)
      for (const { eventId, data, text } of sent) {
        const first = acknowledged.get(eventId)
        if (first === undefined) continue
        const { bytes } = await request(server, 'GET', `/v1/events/${eventId}/body`)
        expect(bytes.toString()).toContain(`"data":${data}}`)
        expect(await deliveriesOf(server, eventId)).toHaveLength(2)
        expect(await publish(server, text)).toEqual({ ...first, duplicate: true })
      }
    })

    test('the database is in WAL mode', async () => {
      const database = new DatabaseSync(join(server.dataDir, 'runbell.db'), { readOnly: true })
      expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
      database.close()
    })

    const canTrace = hasTool('G1, that each commit is flushed to the disk', 'strace', '-e', 'trace=none', 'true')

    test.skipIf(!canTrace)(
      'each 202 comes after the operating system was told to flush the log to the disk',
      async () => {
        const output = join(server.dataDir, 'strace.txt')
        const flags = ['-f', '-y', '-e', 'trace=fsync,fdatasync', '-o', output, '-p', String(server.process.child.pid)]
        const tracer = spawn('strace', flags, { stdio: ['ignore', 'ignore', 'pipe'] })
        await once(createInterface({ input: tracer.stderr }), 'line')
        const flushes = async () => (await readFile(output, 'utf8')).match(/^.*sync\(\d+<[^>]*-wal>\)/gm)?.length ?? 0
        const type = newType()
        for (let count = 0; count < 5; count++) await publish(server, anEvent(type))
        const seen = await until('there is a flush for each commit', flushes, (count) => count >= 5)
        tracer.kill('SIGINT')
        await once(tracer, 'exit')
        expect(seen).toBeGreaterThanOrEqual(5)
      },
    )
  },
)
