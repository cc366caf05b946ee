import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createHttpServer, HTTP_BOUNDS } from '../../packages/server/src/wiring/http-server.ts'
import { anEvent, newType, request } from '../support/client.ts'
import { sendRaw, statusesOf, type RawAnswer } from '../support/raw-client.ts'
import { ADMIN_KEY } from '../support/server-process.ts'
import { shareServer } from '../support/shared-server.ts'

const AUTHORIZED = `host: x\r\nauthorization: Bearer ${ADMIN_KEY}\r\n`
const JSON_TYPE = 'content-type: application/json\r\n'
const POST = `POST /v1/events HTTP/1.1\r\n${AUTHORIZED}${JSON_TYPE}`
const GET = 'GET /livez HTTP/1.1\r\nhost: x\r\n'
const manyHeaders = (count: number) => Array.from({ length: count }, (_, index) => `x-${index}: 1\r\n`).join('')

/** Every answer carries these, whoever gave it. */
const SECURITY_HEADERS = [
  /^x-content-type-options: nosniff$/im,
  /^referrer-policy: no-referrer$/im,
  /^cache-control: no-store$/im,
  /^content-security-policy: default-src 'none'/im,
  /^cross-origin-resource-policy: same-origin$/im,
  /^x-request-id: req_/im,
]

function expectHeaders({ text }: RawAnswer): void {
  const head = text.slice(0, text.indexOf('\r\n\r\n')).replaceAll('\r', '')
  expect(SECURITY_HEADERS.filter((header) => !header.test(head))).toEqual([])
  expect(head).not.toMatch(/^(?:server|x-powered-by):/im)
}

describe('what can be read in two ways, or not at all', () => {
  const server = shareServer()
  const port = () => Number(new URL(server.url).port)

  test.each<[string, string, number]>([
    [
      'content-length and transfer-encoding',
      `${POST}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      422,
    ],
    ['two lengths', `${POST}content-length: 2\r\ncontent-length: 3\r\n\r\n{} `, 422],
    ['the same length twice', `${POST}content-length: 2\r\ncontent-length: 2\r\n\r\n{}`, 422],
    ['a negative length', `${POST}content-length: -2\r\n\r\n{}`, 422],
    ['a length with a sign', `${POST}content-length: +2\r\n\r\n{}`, 422],
    ['a length beyond all numbers', `${POST}content-length: 99999999999999999999\r\n\r\n{}`, 422],
    ['transfer-encoding identity', `${POST}transfer-encoding: identity\r\n\r\n{}`, 415],
    ['chunked not last', `${POST}transfer-encoding: chunked, identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n`, 422],
    ['a coding before chunked', `${POST}transfer-encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`, 415],
    ['a chunk size that is none', `${POST}transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`, 422],
    ['an endless chunk extension', `${POST}transfer-encoding: chunked\r\n\r\n2;${'a'.repeat(20_000)}\r\n{}\r\n`, 422],
    ['a folded header', `${GET}x-a: b\r\n c\r\n\r\n`, 422],
    ['bare line feeds', 'GET /livez HTTP/1.1\nhost: x\n\n', 422],
    ['NUL in a header', `${GET}x-a: b\0c\r\n\r\n`, 422],
    ['CR in a header', `${GET}x-a: b\rc: d\r\n\r\n`, 422],
    ['white space before the colon', 'GET /livez HTTP/1.1\r\nhost : x\r\n\r\n', 422],
    ['two hosts', `${GET}host: y\r\n\r\n`, 422],
    ['two keys', `GET /v1/events HTTP/1.1\r\n${AUTHORIZED}Authorization: Bearer x\r\n\r\n`, 422],
    ['two content types', `${POST}content-type: text/plain\r\ncontent-length: 2\r\n\r\n{}`, 422],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 422],
    ['an unknown method', 'FOO /livez HTTP/1.1\r\nhost: x\r\n\r\n', 422],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 422],
    ['too many headers', `${GET}${manyHeaders(150)}\r\n`, 413],
    ['headers beyond 16 KiB', `${GET}x-a: ${'a'.repeat(17_000)}\r\n\r\n`, 413],
    ['CONNECT', 'CONNECT x:443 HTTP/1.1\r\nhost: x\r\n\r\n', 422],
  ])('%s: refused, and the connection ends', async (_name, bytes, status) => {
    const answer = await sendRaw(port(), bytes)
    expect([statusesOf(answer), answer.closed]).toEqual([[status], true])
    expectHeaders(answer)
    expect(answer.text).toMatch(/"suggested_fix":"[^"]+"/)
  })

  test.each<[string, string, number]>([
    ['no host', 'GET /livez HTTP/1.1\r\n\r\n', 422],
    ['a host that is none', 'GET /livez HTTP/1.1\r\nhost: a b/c\r\n\r\n', 422],
    ['TRACE', 'TRACE /livez HTTP/1.1\r\nhost: x\r\n\r\n', 405],
    ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n', 422],
    ['an absolute target', 'GET http://other.test/livez HTTP/1.1\r\nhost: x\r\n\r\n', 200],
    ['an absolute target of another scheme', 'GET ftp://other.test/livez HTTP/1.1\r\nhost: x\r\n\r\n', 422],
    ['an upgrade', `${GET}connection: upgrade\r\nupgrade: websocket\r\n\r\n`, 200],
    [
      'an upgrade to HTTP/2',
      `${GET}connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAA\r\n\r\n`,
      200,
    ],
    ['an expectation nobody knows', `${POST}content-length: 2\r\nexpect: 200-ok\r\n\r\n{}`, 422],
    ['a compressed event', `${POST}content-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}`, 415],
    [
      'a compressed body elsewhere',
      `${POST.replace('events', 'endpoints')}content-encoding: br\r\ncontent-length: 2\r\n\r\n{}`,
      415,
    ],
    ['a length above the limit', `${POST}content-length: 9999999999\r\n\r\n{}`, 413],
    ['a target of 15,000 characters', `GET /${'a'.repeat(15_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, 404],
    ['HTTP/1.0 without a host', 'GET /livez HTTP/1.0\r\n\r\n', 200],
    ['a GET with a body', `${GET}content-length: 5\r\n\r\nhello`, 200],
  ])('%s: answered', async (_name, bytes, status) => {
    const answer = await sendRaw(port(), bytes, { until: /\r\n\r\n[^]*[}\]]/ })
    expect(statusesOf(answer)).toEqual([status])
    expectHeaders(answer)
  })

  test('requests sent without waiting are answered in order', async () => {
    const bytes = `${GET}\r\n${POST}content-length: 2\r\n\r\n{}GET /nope HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`
    expect(statusesOf(await sendRaw(port(), bytes))).toEqual([200, 422, 404])
  })

  test('what cannot be read after a request is never answered in its place', async () => {
    const type = newType()
    const event = JSON.stringify(anEvent(type))
    const bytes = `${POST}content-length: ${event.length}\r\n\r\n${event}GARBAGE\r\n\r\n`
    for (let count = 0; count < 20; count++) {
      const answer = await sendRaw(port(), bytes)
      expect(answer.closed).toBe(true)
      // Either the event's own answer, or none: then nobody knows, and it is safe to send it again (G2).
      expect([[], [202], [202, 422]]).toContainEqual(statusesOf(answer))
    }
  })

  test('a client that waits to be told to go on is told so', async () => {
    const bytes = `${POST}content-length: 2\r\nexpect: 100-continue\r\n\r\n`
    const answer = await sendRaw(port(), bytes, { until: /100 Continue/ })
    expect(statusesOf(answer)).toEqual([100])
  })

  test('a body that never ends is cut off at the limit, and little of it is read', async () => {
    let written = 0
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
    const answer = await sendRaw(port(), `${POST}transfer-encoding: chunked\r\n\r\n`, {
      patienceMs: 15_000,
      after(socket) {
        const go = (): void => {
          while (!socket.destroyed && socket.write(chunk)) written += chunk.length
          written += chunk.length
        }
        socket.on('drain', go)
        go()
      },
    })
    expect(statusesOf(answer)).toEqual([413])
    expect(answer.closed).toBe(true)
    expect(written).toBeLessThan(64 * 1024 * 1024)
    expect((await request(server, 'GET', '/livez', { key: null })).status).toBe(200)
  })
})

describe('what comes slowly, or not at all', () => {
  let server: Server
  let port: number
  /** As in production, by the hundredth. */
  const bounds = {
    ...HTTP_BOUNDS,
    headersMs: 100,
    requestMs: 300,
    keepAliveMs: 200,
    idleMs: 500,
    checkEveryMs: 20,
    connections: 5,
  }

  beforeAll(async () => {
    const clientError = (_error: Error, socket: { end(text: string): void }) => socket.end('HTTP/1.1 422 Slow\r\n\r\n')
    server = createHttpServer(
      {
        listener(incoming, outgoing) {
          incoming.resume()
          if (incoming.url === '/endless') return void outgoing.write('x'.repeat(10_000_000))
          incoming.on('end', () => outgoing.end('ok'))
        },
        clientError,
      },
      bounds,
    )
    port = await new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
    })
  })
  afterAll(() => new Promise((resolve) => server.close(resolve)))

  /** Writes `part` again and again, as long as it can. */
  const drip = (part: string) => ({
    after(socket: { write(text: string): void; on(event: 'close', run: () => void): void }) {
      const timer = setInterval(() => socket.write(part), 20)
      socket.on('close', () => clearInterval(timer))
    },
  })

  test.each<[string, string, object, number]>([
    ['nothing at all', '', {}, bounds.headersMs],
    ['half a request line', 'GET /li', {}, bounds.headersMs],
    ['headers drop by drop', 'GET / HTTP/1.1\r\n', drip('x-a: b\r\n'), bounds.headersMs],
    ['a body drop by drop', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n', drip('x'), bounds.requestMs],
    [
      'chunks drop by drop',
      'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n',
      drip('1\r\nx\r\n'),
      bounds.requestMs,
    ],
    ['nothing after an answer', 'GET / HTTP/1.1\r\nhost: x\r\n\r\n', {}, bounds.keepAliveMs],
  ])('%s: the connection ends in time', async (_name, bytes, options, afterMs) => {
    const { closed, ms } = await sendRaw(port, bytes, options)
    expect(closed).toBe(true)
    expect(ms).toBeGreaterThanOrEqual(afterMs * 0.9)
    expect(ms).toBeLessThan(afterMs + 2500)
  })

  test('an answer that nobody reads does not keep its connection', async () => {
    const answer = await sendRaw(port, 'GET /endless HTTP/1.1\r\nhost: x\r\n\r\n', {
      after: (socket) => void socket.pause(),
      patienceMs: 1500,
    })
    const open = await new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)))
    expect([answer.text, open]).toEqual(['', 0])
  })

  test('connections beyond the limit are closed, and those within it go on', async () => {
    const opened = Array.from({ length: bounds.connections }, () =>
      sendRaw(port, 'GET /slow HTTP/1.1\r\n', drip('x: y\r\n')),
    )
    const more = await Promise.all(Array.from({ length: 3 }, () => sendRaw(port, 'GET / HTTP/1.1\r\nhost: x\r\n\r\n')))
    expect(more.every(({ closed }) => closed)).toBe(true)
    await Promise.all(opened)
    const after = await sendRaw(port, 'GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
    expect(statusesOf(after)).toEqual([200])
  })

  test('these bounds are set in production', () => {
    const made = createHttpServer({ listener() {}, clientError() {} })
    const plain = createServer()
    expect([made.headersTimeout, made.requestTimeout, made.timeout, made.maxHeadersCount]).toEqual([
      10_000, 30_000, 120_000, 100,
    ])
    expect(made.maxConnections).toBeGreaterThan(1000)
    expect(plain.timeout).toBe(0)
  })
})
