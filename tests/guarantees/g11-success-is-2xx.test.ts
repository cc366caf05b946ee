import { gzipSync } from 'node:zlib'
import { readFileSync } from 'node:fs'
import type { DeliveryView, Page } from '@runbell/sdk/contract'
import { describe, expect, test } from 'vitest'
import * as behaviours from '../../packages/server/test/hostile-receivers/behaviours.ts'
import { anEvent, attemptsOf, createEndpoint, get, newType, publish, untilDelivery } from '../support/client.ts'
import { rawReceiver } from '../support/raw-receivers.ts'
import { shareServer } from '../support/shared-server.ts'
import { until } from '../support/until.ts'

const { answer, dripBody, endlessChunks, endlessTinyChunks, hugeBody, resetAfterHeaders, write } = behaviours

const TIMEOUT_MS = 1000
/** How late a busy machine may notice a deadline. */
const LATE_MS = 1500
const EXCERPT_BYTES = 16_384
/** What the kernel's buffers of both ends may swallow before anybody says stop, with room to spare. */
const BUFFERED_BYTES = 16 * 1024 * 1024
const RSS_GROWTH_BYTES = 100 * 1024 * 1024

describe(
  'G11: Success is a status 200 to 299 whose headers arrive before the deadline. Nothing in the response body, its size ' +
    'or its end turns that into a failure; at most 16 KiB of it is kept, as bytes. Redirects are never followed and are ' +
    'failures.',
  () => {
    const server = shareServer()

    /** Publishes one event to this URL, to be tried once, and tells what came of it. */
    async function deliverOnce(url: string) {
      const type = newType()
      await createEndpoint(server, url, type, { timeout_ms: TIMEOUT_MS, retry_schedule: [] })
      const { event_id: eventId } = await publish(server, anEvent(type))
      const delivery = await untilDelivery(server, eventId)
      const [attempt] = await attemptsOf(server, delivery.id)
      if (attempt === undefined) throw new Error('an ended delivery has an attempt')
      return { delivery, attempt }
    }

    test.concurrent.each([200, 201, 202, 203, 204, 205, 206, 226, 250, 299])('%i is a success', async (status) => {
      const { url } = await server.receiver(() => status)
      const { delivery, attempt } = await deliverOnce(url)
      expect(delivery.status).toBe('delivered')
      expect(attempt).toMatchObject({ outcome: 'delivered', status_code: status, diagnosis: null })
    })

    test.concurrent.each([400, 401, 404, 409, 422, 429, 500, 503, 599, 600, 999])('%i is a failure', async (status) => {
      const { url } = await rawReceiver(server, answer(status))
      const { delivery, attempt } = await deliverOnce(url)
      expect(delivery).toMatchObject({ status: 'dead_lettered', reason: 'attempts_exhausted' })
      expect(attempt).toMatchObject({ outcome: 'http_error', status_code: status })
    })

    test.concurrent.each([300, 301, 302, 303, 304, 305, 307, 308])(
      '%i is a failure, and nobody follows it',
      async (status) => {
        const target = await rawReceiver(server, answer(200))
        const { url } = await server.receiver(() => ({ status, headers: { location: target.url } }))
        const { delivery, attempt } = await deliverOnce(url)
        expect(delivery.status).toBe('dead_lettered')
        expect(attempt).toMatchObject({ outcome: 'redirect', status_code: status })
        expect(target.connections).toBe(0)
      },
    )

    test('a redirect on every attempt leads nowhere either', async () => {
      const target = await rawReceiver(server, answer(200))
      const receiver = await server.receiver(() => ({ status: 307, headers: { location: target.url } }))
      const type = newType()
      await createEndpoint(server, receiver.url, type, { retry_schedule: [50, 50] })
      const { event_id: eventId } = await publish(server, anEvent(type))
      const { id } = await untilDelivery(server, eventId)
      expect((await attemptsOf(server, id)).map(({ outcome }) => outcome)).toEqual(['redirect', 'redirect', 'redirect'])
      expect(receiver.received).toHaveLength(3)
      expect(target.connections).toBe(0)
    })

    describe('with a body that', () => {
      test.concurrent.each<[string, behaviours.Behaviour, number]>([
        ['comes a byte at a time and never ends', dripBody, 200],
        ['is 5 GB', hugeBody, 200],
        ['is endless', endlessChunks, 200],
        ['is endless, in chunks of one byte', endlessTinyChunks, 200],
        ['is cut off by a reset', resetAfterHeaders, 202],
        ['ends early', (socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf'), 200],
        ['never begins', write('HTTP/1.1 201 Created\r\ncontent-length: 10\r\n\r\n'), 201],
        ['is framed wrongly', write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n'), 200],
        ['is no gzip, though it says so', answer(200, 'not gzip', ['content-encoding: gzip']), 200],
        ['is no JSON, though it says so', answer(200, '{"a":', ['content-type: application/json']), 200],
      ])('%s it is a success', async (_name, behaviour, status) => {
        const receiver = await rawReceiver(server, behaviour)
        const { delivery, attempt } = await deliverOnce(receiver.url)
        expect(delivery.status).toBe('delivered')
        expect(attempt).toMatchObject({ outcome: 'delivered', status_code: status })
        expect(attempt.duration_ms).toBeLessThan(TIMEOUT_MS + LATE_MS)
        expect(receiver.requests).toHaveLength(1)
        expect(receiver.bytesWritten()).toBeLessThan(BUFFERED_BYTES)
      })

      test.concurrent('comes a byte at a time after a 500 is a failure by its status', async () => {
        const start = 'HTTP/1.1 500 Oops\r\ntransfer-encoding: chunked\r\n\r\n'
        const { url } = await rawReceiver(server, behaviours.drip(start, '1\r\nx\r\n'))
        const { attempt } = await deliverOnce(url)
        expect(attempt).toMatchObject({ outcome: 'http_error', status_code: 500 })
      })
    })

    test('a reset before the headers are complete is no success', async () => {
      const { url } = await rawReceiver(server, (socket) =>
        socket.write('HTTP/1.1 200 OK\r\nx-half: ', () => socket.resetAndDestroy()),
      )
      const { delivery, attempt } = await deliverOnce(url)
      expect(delivery.status).toBe('dead_lettered')
      expect(attempt).toMatchObject({ outcome: 'protocol_error', status_code: null })
    })

    test('16 KiB of a longer body are kept, and it says that there was more', async () => {
      const text = Array.from({ length: 4000 }, (_, n) => String(n).padStart(5, '0')).join('')
      const { url } = await server.receiver(() => ({ status: 200, body: text }))
      const { attempt } = await deliverOnce(url)
      expect(attempt.response_excerpt).toEqual({ text: text.slice(0, EXCERPT_BYTES), truncated: true })
    })

    test('a body of 16 KiB is kept whole', async () => {
      const text = 'x'.repeat(EXCERPT_BYTES)
      const { url } = await server.receiver(() => ({ status: 200, body: text }))
      expect((await deliverOnce(url)).attempt.response_excerpt).toEqual({ text, truncated: false })
    })

    test('what is no text is kept as its bytes, and nothing is decompressed', async () => {
      const bomb = gzipSync(Buffer.alloc(10_000_000))
      const { url } = await server.receiver(() => ({
        status: 200,
        headers: { 'content-encoding': 'gzip' },
        body: bomb,
      }))
      const { attempt } = await deliverOnce(url)
      expect(attempt.response_excerpt).toEqual({ base64: bomb.toString('base64'), truncated: false })
    })

    const hasProc = process.platform === 'linux'
    if (!hasProc) console.warn('skipped: G11, that memory stays flat: needs /proc, which only Linux has')

    test.skipIf(!hasProc)('a crowd of endless bodies leaves the memory of the server as it is', async () => {
      const rss = () => {
        const status = readFileSync(`/proc/${server.process.child.pid}/status`, 'utf8')
        return Number(/^VmRSS:\s*(\d+) kB/m.exec(status)?.[1]) * 1024
      }
      const type = newType()
      const receivers = [hugeBody, endlessChunks, endlessTinyChunks].map((behaviour) => rawReceiver(server, behaviour))
      for (const { url } of await Promise.all(receivers))
        await createEndpoint(server, url, type, { timeout_ms: TIMEOUT_MS })
      const pending = () => get<Page<DeliveryView>>(server, `/v1/deliveries?type=${type}&status=pending`)
      const crowd = async (count: number) => {
        await Promise.all(Array.from({ length: count }, () => publish(server, anEvent(type))))
        await until('the crowd is delivered', pending, ({ data }) => data.length === 0)
      }
      await crowd(5)
      const before = rss()
      await crowd(40)
      expect(rss() - before).toBeLessThan(RSS_GROWTH_BYTES)
    })
  },
)
