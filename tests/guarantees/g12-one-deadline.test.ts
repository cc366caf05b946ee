import type { Problem } from '@runbell/sdk/contract'
import { describe, expect, test } from 'vitest'
import * as behaviours from '../../packages/server/test/hostile-receivers/behaviours.ts'
import { startFullBacklog } from '../../packages/server/test/hostile-receivers/full-backlog.ts'
import { anEvent, attemptsOf, createEndpoint, newType, publish, request, untilDelivery } from '../support/client.ts'
import { rawReceiver } from '../support/raw-receivers.ts'
import { shareServer } from '../support/shared-server.ts'

const { drip, dripBody, dripHeaders, flood, hang, write } = behaviours

const TIMEOUT_MS = 1000
/** How late a busy machine may notice a deadline. */
const LATE_MS = 1500
const EARLY_HINTS = 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'

describe('G12: One deadline (15 s by default, 1 to 60) bounds DNS, connect, TLS, send, headers and body together.', () => {
  const server = shareServer()

  /** The one attempt of an event at this URL. */
  async function attemptAt(url: string, timeoutMs = TIMEOUT_MS) {
    const type = newType()
    await createEndpoint(server, url, type, { timeout_ms: timeoutMs, retry_schedule: [] })
    const { event_id: eventId } = await publish(server, anEvent(type))
    const { id } = await untilDelivery(server, eventId)
    const [attempt] = await attemptsOf(server, id)
    if (attempt === undefined) throw new Error('an ended delivery has an attempt')
    return attempt
  }

  function expectAt(deadline: number, durationMs: number | null): void {
    expect(durationMs).toBeGreaterThanOrEqual(deadline)
    expect(durationMs).toBeLessThan(deadline + LATE_MS)
  }

  test.concurrent.each<[string, behaviours.Behaviour]>([
    ['hangs', hang],
    ['sends its headers a byte at a time', dripHeaders],
    ['stops in its status line', write('HTTP/1.1 2')],
    ['sends a 103 now and then', drip('', EARLY_HINTS, 20)],
    ['sends a 102 and falls silent', write('HTTP/1.1 102 Processing\r\n\r\n')],
  ])('a receiver that %s is a timeout at the deadline, and its connection is closed', async (_name, behaviour) => {
    const receiver = await rawReceiver(server, behaviour)
    const attempt = await attemptAt(receiver.url)
    expect(attempt).toMatchObject({ outcome: 'timeout', status_code: null })
    expectAt(TIMEOUT_MS, attempt.duration_ms)
    await receiver.allGone()
    expect(receiver.requests).toHaveLength(1)
  })

  test.concurrent('103s without end, as fast as they are taken, end the attempt at the deadline at the latest', async () => {
    const receiver = await rawReceiver(server, flood('', Buffer.from(EARLY_HINTS.repeat(100))))
    const attempt = await attemptAt(receiver.url)
    expect(['timeout', 'protocol_error']).toContain(attempt.outcome)
    expect(attempt.duration_ms).toBeLessThan(TIMEOUT_MS + LATE_MS)
    await receiver.allGone()
  })

  test.concurrent('a body that drips is cut off at the deadline, and its connection is closed', async () => {
    const receiver = await rawReceiver(server, dripBody)
    const attempt = await attemptAt(receiver.url)
    expect(attempt).toMatchObject({ outcome: 'delivered', response_excerpt: { truncated: true } })
    expectAt(TIMEOUT_MS, attempt.duration_ms)
    await receiver.allGone()
  })

  test.concurrent('late headers and a body that drips share one deadline', async () => {
    const deadline = 3000
    const body = drip('HTTP/1.1 500 Oops\r\ntransfer-encoding: chunked\r\n\r\n', '1\r\nx\r\n')
    const receiver = await rawReceiver(server, (socket) => {
      const timer = setTimeout(() => body(socket), deadline * 0.9)
      socket.on('close', () => clearTimeout(timer))
    })
    const attempt = await attemptAt(receiver.url, deadline)
    expect(attempt).toMatchObject({ outcome: 'http_error', status_code: 500 })
    // A deadline that began anew with the headers would come at 5.7 s.
    expectAt(deadline, attempt.duration_ms)
  })

  test.concurrent('a TLS handshake that never ends is a timeout at the deadline', async () => {
    const receiver = await rawReceiver(server)
    const attempt = await attemptAt(receiver.url.replace('http:', 'https:'))
    expect(attempt).toMatchObject({ outcome: 'timeout', status_code: null })
    expectAt(TIMEOUT_MS, attempt.duration_ms)
    await receiver.allGone()
  })

  const fillsBacklog = process.platform === 'linux'
  if (!fillsBacklog)
    console.warn('skipped: G12, a connection that is never made: only Linux drops SYNs of a full queue')

  test.skipIf(!fillsBacklog)(
    'a connection that is never made is a timeout at the deadline',
    { concurrent: true },
    async () => {
      const full = await startFullBacklog()
      server.afterwards(() => full.close())
      const attempt = await attemptAt(`http://127.0.0.1:${full.port}/`)
      expect(attempt).toMatchObject({ outcome: 'timeout', status_code: null })
      expectAt(TIMEOUT_MS, attempt.duration_ms)
    },
  )

  test('it is 15 seconds by default', async () => {
    expect(await createEndpoint(server, 'http://127.0.0.1:9/', newType())).toMatchObject({ timeout_ms: 15_000 })
  })

  test.each([1000, 60_000])('%i ms is allowed', async (timeoutMs) => {
    const endpoint = await createEndpoint(server, 'http://127.0.0.1:9/', newType(), { timeout_ms: timeoutMs })
    expect(endpoint.timeout_ms).toBe(timeoutMs)
  })

  test.each([0, 999, 60_001, -1, 1500.5, '15s', null])('%j is refused with its path', async (timeoutMs) => {
    const body = { url: 'http://127.0.0.1:9/', timeout_ms: timeoutMs }
    const answer = await request<Problem>(server, 'POST', '/v1/endpoints', { body })
    expect(answer).toMatchObject({ status: 422, json: { code: 'invalid_request', errors: [{ path: '/timeout_ms' }] } })
  })
})
