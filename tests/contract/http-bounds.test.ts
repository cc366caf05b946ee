import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { MemoryStore } from '../../packages/server/src/store/memory/memory-store.ts'
import { StoreUnavailable } from '../../packages/server/src/store/store.ts'
import { createTestApi, type TestApi } from '../../packages/server/src/api/testing/test-api.ts'
import { createHttpServer, HTTP_BOUNDS, listen, type HttpBounds } from '../../packages/server/src/wiring/http-server.ts'
import { openRaw, parseAnswers, readAnswers, type RawAnswer, type RawConnection } from '../support/raw-http.ts'
import { until } from '../support/until.ts'

/** The bounds of the real server, a hundred times shorter: a test of them need not take half a minute. */
const SHORT: HttpBounds = {
  ...HTTP_BOUNDS,
  headersMs: 100,
  requestMs: 300,
  checkEveryMs: 20,
  keepAliveMs: 50,
  idleMs: 500,
  connections: 8,
}
/** None of those bounds, and below the least default: who is closed by then was closed by one of them. */
const SOON_MS = 5000
const LIVEZ = 'GET /livez HTTP/1.1\r\nHost: a\r\n\r\n'

let api: TestApi
let server: Server
let port = 0
const drips = new Set<NodeJS.Timeout>()

beforeAll(async () => {
  api = await createTestApi({ store: new BrokenStore({ clock: () => performance.now() }) })
  server = createHttpServer(api.api, SHORT)
  port = await listen(server, { host: '127.0.0.1', port: 0 })
})
afterEach(async () => {
  for (const timer of drips) clearInterval(timer)
  drips.clear()
  server.closeAllConnections()
  await until('nobody is connected', connections, (count) => count === 0)
})
afterAll(async () => {
  server.close()
  await once(server, 'close')
})

/** A store that can break. */
class BrokenStore extends MemoryStore {
  broken: Error | null = null
  override listEndpoints(...args: Parameters<MemoryStore['listEndpoints']>): ReturnType<MemoryStore['listEndpoints']> {
    if (this.broken !== null) return Promise.reject(this.broken)
    return super.listEndpoints(...args)
  }
  override readAudit(...args: Parameters<MemoryStore['readAudit']>): ReturnType<MemoryStore['readAudit']> {
    return this.broken === null ? super.readAudit(...args) : Promise.reject(this.broken)
  }
}

function connections(): Promise<number> {
  return new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))
}

/** What has come when the server has closed the connection. */
async function closedSoon(connection: RawConnection): Promise<RawAnswer[]> {
  const startedAt = performance.now()
  const text = await connection.closed()
  expect(performance.now() - startedAt).toBeLessThan(SOON_MS)
  return parseAnswers(text)
}

/** Goes on sending a little, for as long as the connection is open. */
function drip(connection: RawConnection, bytes: string): RawConnection {
  drips.add(setInterval(() => connection.socket.writable && connection.socket.write(bytes), 10))
  return connection
}

const posting = (path: string, framing: string, key = api.key) =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\n${framing}\r\n`

describe('who is slow', () => {
  test.each([
    ['sends nothing', '', ''],
    ['sends empty lines', '', '\r\n'],
    ['drips its request line', 'GET /', 'a'],
    ['drips its headers', 'GET /livez HTTP/1.1\r\nHost: a\r\nX-A: ', 'a'],
    ['drips header after header', 'GET /livez HTTP/1.1\r\nHost: a\r\n', 'a: b\r\n'],
  ])('and %s is told so and closed within the time for headers', async (_what, start, more) => {
    const connection = openRaw(port, start)
    const [answer] = await closedSoon(more === '' ? connection : drip(connection, more))
    expect(answer?.status).toBe(408)
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({ code: 'request_timeout', retryable: true })
    expect(answer?.headers).toMatchObject({ 'x-content-type-options': 'nosniff', connection: 'close' })
  })

  test.each([
    ['/v1/events', 'a length', 'Content-Length: 1000\r\n', ' '],
    ['/v1/events/batch', 'chunks', 'Transfer-Encoding: chunked\r\n', '1\r\n \r\n'],
    ['/v1/endpoints', 'a length', 'Content-Length: 1000\r\n', ' '],
    ['/v1/endpoints', 'chunks', 'Transfer-Encoding: chunked\r\n', '1\r\n \r\n'],
  ])(
    'and drips its body to %s is told so and closed within the time for a request, with %s',
    async (path, _framing, framing, more) => {
      const [answer, ...others] = await closedSoon(drip(openRaw(port, posting(path, framing)), more))
      expect([answer?.status, others]).toEqual([408, []])
    },
  )

  test.each(['/v1/events', '/v1/endpoints'])(
    'and drips a body that was refused to %s has one answer and is closed',
    async (path) => {
      const refused = posting(path, 'Content-Length: 100000\r\n', 'rb_test_nobody')
      const answers = await closedSoon(drip(openRaw(port, refused), ' '))
      expect(answers.map(({ status }) => status)).toEqual([401])
    },
  )

  test('and idle after an answer is closed without another', async () => {
    const [answer, ...others] = await closedSoon(openRaw(port, LIVEZ))
    expect([answer?.status, others]).toEqual([200, []])
  })
})

describe('who does not read', () => {
  let endless: Server
  beforeAll(async () => {
    const listener: Parameters<typeof createHttpServer>[0]['listener'] = (_incoming, outgoing) =>
      void outgoing.write('x'.repeat(10_000_000))
    endless = createHttpServer({ listener, clientError() {}, tunnel() {} }, SHORT)
    await listen(endless, { host: '127.0.0.1', port: 0 })
  })
  afterAll(() => endless.close())

  test('the answer does not keep the connection', async () => {
    const { socket } = openRaw((endless.address() as AddressInfo).port, LIVEZ)
    socket.pause()
    const count = () =>
      new Promise<number>((resolve) => endless.getConnections((_error, connected) => resolve(connected)))
    await until('the client is connected', count, (connected) => connected === 1)
    await until('it is cut off', count, (connected) => connected === 0)
    socket.destroy()
  })
})

test('these bounds are set in production', () => {
  const { headersTimeout, requestTimeout, timeout, maxConnections } = createHttpServer(api.api)
  expect([headersTimeout, requestTimeout, timeout]).toEqual([10_000, 30_000, 120_000])
  expect(maxConnections).toBeGreaterThan(1000)
})

test('connections above the limit are closed at once, and taken again when there is room', async () => {
  const held = Array.from({ length: SHORT.connections }, () => openRaw(port, 'GET /'))
  await until('all are connected', connections, (count) => count === SHORT.connections)
  expect(await openRaw(port, LIVEZ).closed()).toBe('')
  for (const { socket } of held) socket.destroy()
  await until('they are gone', connections, (count) => count === 0)
  expect((await readAnswers(port, LIVEZ))[0]?.status).toBe(200)
})

describe('an answer', () => {
  afterEach(() => {
    ;(api.store as BrokenStore).broken = null
    api.context.publicUrl = 'https://runbell.test'
  })

  test.each([
    [500, '/v1/endpoints', new Error('canary: /var/lib')],
    [503, '/v1/endpoints', new StoreUnavailable('unavailable', 'canary: /var/lib')],
    [507, '/v1/endpoints', new StoreUnavailable('storage_full', 'canary: /var/lib')],
    // It is streamed: there is no status any more once the first part is under way.
    [503, '/v1/audit-log/export', new StoreUnavailable('unavailable', 'canary: /var/lib')],
  ])('with %i to %s has every header, and nothing of what went wrong', async (status, path, error) => {
    ;(api.store as BrokenStore).broken = error
    const bytes = `GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${api.key}\r\n\r\n`
    const [answer] = await readAnswers(port, bytes)
    expect(answer?.status).toBe(status)
    expect(answer?.body).not.toContain('canary')
    expect(answer?.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'cross-origin-resource-policy': 'same-origin',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
    })
    expect(answer?.headers).not.toHaveProperty('x-powered-by')
  })

  test.each([
    ['a route', LIVEZ],
    ['publishing', posting('/v1/events', 'Content-Length: 0\r\n', 'x')],
    ['a malformed request', 'GET /livez HTTP/1.1\r\n\r\n'],
    ['what is no request', 'hello\r\n\r\n'],
    ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('to %s asks browsers to stay with https, where the server is reached so and only there', async (_what, bytes) => {
    expect((await readAnswers(port, bytes))[0]?.headers['strict-transport-security']).toBe('max-age=31536000')
    api.context.publicUrl = 'http://runbell.test'
    expect((await readAnswers(port, bytes))[0]?.headers).not.toHaveProperty('strict-transport-security')
  })
})
