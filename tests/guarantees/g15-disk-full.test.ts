import { mkdtemp, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { anEvent, createEndpoint, eventOf, get, newType, post, publish, request } from '../support/client.ts'
import { startReceiver } from '../support/receiver.ts'
import { startServer } from '../support/server-process.ts'

/** The mark above which nothing is accepted, as so many times what is free: the disk looks as full as one likes. */
async function markAt(times: number): Promise<Record<string, string>> {
  const { bavail, bsize } = await statfs(tmpdir())
  return { RUNBELL_LIMIT_FREE_BYTES: String(Math.round(bavail * bsize * times)) }
}

describe(
  'G15: Disk full: publishing gets `507` with `Retry-After`, reads work, no attempt starts that could not be recorded, nothing ' +
    'accepted is lost, and it goes on by itself when there is space.',
  () => {
    test('low: nothing new is taken, what was accepted is sent; full: nothing is sent either', async () => {
      const dataDir = await mkdtemp(join(tmpdir(), 'runbell-disk-'))
      const receiver = await startReceiver(() => 204)
      const type = newType()
      let server = await startServer(dataDir)
      const endpoint = await createEndpoint(server, receiver.url, type)
      await post(server, `/v1/endpoints/${endpoint.id}/pause`)
      const { event_id: first } = await publish(server, anEvent(type))
      await server.end('SIGTERM')

      server = await startServer(dataDir, await markAt(8))
      await post(server, `/v1/endpoints/${endpoint.id}/resume`)
      const refused = await request<{ code: string; suggested_fix: string }>(server, 'POST', '/v1/events', {
        body: anEvent(type),
      })
      expect([refused.status, refused.json.code]).toEqual([507, 'storage_full'])
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(await eventOf(server, first)).toMatchObject({ event_id: first, deliveries: { pending: 1 } })
      expect(await get(server, '/readyz')).toMatchObject({ status: 'ok', storage: 'full' })
      const { data } = await get<{ data: unknown[] }>(server, `/v1/events?type=${type}`)
      expect(data).toHaveLength(1)
      expect(receiver.received).toEqual([])
      expect(server.log()).toContain('disk.full')
      await server.end('SIGTERM')

      server = await startServer(dataDir, await markAt(2))
      await receiver.until((received) => received.length === 1)
      expect((await request(server, 'POST', '/v1/events', { body: anEvent(type) })).status).toBe(507)
      expect(await get(server, '/readyz')).toMatchObject({ storage: 'low' })
      await server.end('SIGTERM')

      server = await startServer(dataDir)
      expect(await get(server, '/readyz')).toMatchObject({ storage: 'ok' })
      const { event_id: second } = await publish(server, anEvent(type))
      await receiver.until((received) => received.length === 2)
      expect(receiver.received.map(({ eventId }) => eventId)).toEqual([first, second])
      expect(await server.end('SIGTERM')).toBe(0)
      await receiver.close()
      await rm(dataDir, { recursive: true })
    })
  },
)
