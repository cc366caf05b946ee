import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHttpServer } from '../wiring/http-server.ts'
import { createTestApi, sampleEvent, type TestApi } from './testing/test-api.ts'

let test: TestApi
let server: Server
let port: number
beforeAll(async () => {
  test = await createTestApi()
  server = createHttpServer(test.api)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})
afterAll(async () => {
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
})

interface RawAnswer {
  status: number
  type: string | undefined
  body: string
}

/** Sends bytes as they are and reads until the server closes. */
async function send(bytes: Buffer): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  // The server may refuse and close while we are still writing.
  socket.on('error', () => undefined)
  socket.end(bytes)
  await new Promise((resolve) => socket.once('close', resolve))
  const text = Buffer.concat(chunks).toString('latin1')
  const [head = '', ...rest] = text.split('\r\n\r\n')
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0),
    type: /^content-type: (.*)$/im.exec(head)?.[1],
    body: rest.join('\r\n\r\n'),
  }
}

const auth = () => `Host: a\r\nConnection: close\r\nAuthorization: Bearer ${test.key}\r\n`
const post = (path: string, headers: string, body: string | Buffer) =>
  send(Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${auth()}${headers}\r\n`), Buffer.from(body)]))

describe('publishing over a socket', () => {
  it('takes an event with a length, and in chunks', async () => {
    const body = JSON.stringify(sampleEvent())
    const type = 'Content-Type: application/json\r\n'
    expect((await post('/v1/events', `${type}Content-Length: ${body.length}\r\n`, body)).status).toBe(202)
    const half = body.length >> 1
    const chunks = [body.slice(0, half), body.slice(half), ''].map(
      (part) => `${part.length.toString(16)}\r\n${part}\r\n`,
    )
    const again = await post('/v1/events?x=1', `${type}Transfer-Encoding: chunked\r\n`, chunks.join(''))
    expect(again.body).toContain('"duplicate":true')
  })

  it('takes the path in another spelling, through the router', async () => {
    const body = JSON.stringify(sampleEvent())
    const headers = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`
    expect((await post('/v1/%65vents', headers, body)).status).toBe(202)
  })

  it.each([
    ['/v1/events', 262_145],
    ['/v1/events/batch', 5 * 1024 * 1024 + 1],
    ['/v1/endpoints', 65_537],
  ])('%s answers 413 to an announced length above the limit, before the body came', async (path, length) => {
    const headers = `Content-Type: application/json\r\nContent-Length: ${length}\r\n`
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('data', (chunk: Buffer) => {
        socket.destroy()
        resolve(chunk.toString('latin1'))
      })
      socket.write(`POST ${path} HTTP/1.1\r\n${auth()}${headers}\r\n`)
    })
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer).toContain('payload_too_large')
  })

  it.each(['/v1/events', '/v1/endpoints'])('%s answers 413 to chunks that pass the limit', async (path) => {
    // White space alone: read to its end, it would be malformed and not too large.
    const body = ' '.repeat(300_000)
    const headers = 'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n'
    const answer = await post(path, headers, `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`)
    expect(answer.status).toBe(413)
  })

  it('answers without a key before it reads, and keeps the connection usable', async () => {
    const body = 'x'.repeat(200_000)
    const one = `POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    const answer = await send(Buffer.from(`${one}GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`))
    expect(answer.status).toBe(401)
    expect(answer.body).toContain('HTTP/1.1 200')
  })

  it('cuts the connection of a refused body that does not end', async () => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')))
    socket.on('error', () => undefined)
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.write('POST /v1/events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
    const chunk = Buffer.from(`100000\r\n${'x'.repeat(0x10_0000)}\r\n`)
    let sent = 0
    for (; sent < 64 && !socket.destroyed; sent++) {
      if (!socket.write(chunk)) await Promise.race([once(socket, 'drain').catch(() => undefined), closed])
    }
    expect(answer).toMatch(/^HTTP\/1\.1 401 /)
    expect(sent).toBeLessThan(64)
    await closed
  })

  it('stores nothing when the client goes away in the middle, and goes on', async () => {
    const event = sampleEvent()
    const body = JSON.stringify(event)
    const arrived = once(server, 'request')
    const client = httpRequest({
      port,
      method: 'POST',
      path: '/v1/events',
      headers: {
        authorization: `Bearer ${test.key}`,
        'content-type': 'application/json',
        'content-length': body.length,
      },
    })
    client.on('error', () => undefined)
    client.write(body.slice(0, 40))
    const [incoming] = (await arrived) as [IncomingMessage]
    const gone = new Promise((resolve) => incoming.once('close', resolve))
    client.destroy()
    await gone
    expect((await test.get(`/v1/events/${String(event['event_id'])}`)).status).toBe(404)
    expect((await send(Buffer.from('GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'))).status).toBe(200)
  })

  it.each([
    ['no HTTP at all', 'hello\r\n\r\n', 400],
    ['headers that are too long', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['a target that is no path', 'OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 400],
    ['a Host that is none', 'GET /livez HTTP/1.1\r\nHost: a b/c\r\nConnection: close\r\n\r\n', 400],
    ['no Host', 'GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
  ])('answers a problem to %s', async (_what, text, status) => {
    const answer = await send(Buffer.from(text))
    expect([answer.status, answer.type]).toEqual([status, 'application/problem+json'])
    expect(JSON.parse(answer.body).status).toBe(status)
  })
})

describe('whatever is sent', () => {
  const names = fc.oneof(
    fc.constantFrom(
      'content-type',
      'content-encoding',
      'idempotency-key',
      'cookie',
      'range',
      'if-none-match',
      'x-a',
      'host',
      'authorization',
    ),
    fc
      .stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/)
      .filter((name) => !/^(expect|upgrade|content-length|transfer-encoding|connection)$/i.test(name)),
  )
  const values = fc.oneof(
    fc.constantFrom('application/json', 'application/x-ndjson', 'gzip', 'Bearer x', '*/*', 'bytes=0-1'),
    fc.string({ unit: 'binary', maxLength: 30 }).map((text) => text.replaceAll(/[^\x20-\x7e\x80-\xff]/g, '')),
  )
  const methods = fc.constantFrom(
    'GET',
    'POST',
    'PUT',
    'PATCH',
    'DELETE',
    'HEAD',
    'OPTIONS',
    'TRACE',
    'PROPFIND',
    'get',
  )
  const known = [
    ...[
      '/v1/events',
      '/v1/events/batch',
      '/v1/endpoints',
      '/v1/deliveries',
      '/v1/api-keys',
      '/v1/dead-letters',
      '/v1/events/x/replay',
    ],
    ...[
      '/v1/endpoints/x/secrets/rotate',
      '/v1/events/%',
      '/v1/events/%00',
      '/v1/events/x/body?endpoint_id=%ff',
      '/v1/events?cursor=%00',
    ],
  ]
  const targets = fc.oneof(
    fc.constantFrom(...known),
    fc.string({ unit: 'binary', maxLength: 40 }).map((text) => `/${text.replaceAll(/[^\x21-\x7e]/g, '%')}`),
    fc.tuple(fc.constantFrom(...known), fc.webQueryParameters()).map(([path, query]) => `${path}?${query}`),
  )
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((text) => Buffer.from(text)),
    fc.constant(Buffer.from(JSON.stringify(sampleEvent()))),
  )

  it('over a socket is answered below 500, and refused with a problem', async () => {
    const headers = fc.array(fc.tuple(names, values), { maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(methods, targets, headers, bodies, fc.boolean(), async (method, target, list, body, withKey) => {
        const lines = list.map(([name, value]) => `${name}: ${value}\r\n`).join('')
        const start = `${method} ${target} HTTP/1.1\r\n${withKey ? auth() : 'Host: a\r\nConnection: close\r\n'}`
        const head = Buffer.from(`${start}${lines}Content-Length: ${body.length}\r\n\r\n`, 'latin1')
        const answer = await send(Buffer.concat([head, body]))
        expect(answer.status).toBeGreaterThanOrEqual(200)
        expect(answer.status).toBeLessThan(500)
        if (answer.status < 400 || method === 'HEAD') return
        expect(answer.type).toBe('application/problem+json')
        expect(JSON.parse(answer.body)).toMatchObject({ status: answer.status, code: expect.any(String) })
      }),
      { numRuns: 400 },
    )
  })

  it('as JSON to any route is answered below 500', async () => {
    const keys = fc.constantFrom(
      'url',
      'headers',
      'event_types',
      'signing',
      'data',
      'agent',
      'type',
      'metadata',
      'scopes',
      'constructor',
      'x',
    )
    const urls = { url: fc.constantFrom('https://receiver.test', 'x', 7) }
    const value = fc.dictionary(keys, fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' })), { maxKeys: 6 })
    const objects = fc.tuple(value, fc.record(urls, { requiredKeys: [] })).map(([some, url]) => ({ ...some, ...url }))
    const endpoint = await test.addEndpoint()
    const writing = test.api.routes.filter(({ method }) => method === 'post' || method === 'patch')
    const routes = writing.map(({ method, path }) => [method, path] as const)
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...routes), objects, async ([method, path], body) => {
        const url = path.replace('{endpoint_id}', endpoint).replaceAll(/\{\w+\}/g, 'evt_test_12345678')
        const answer = await test.ask(method.toUpperCase(), url, {
          body: path.endsWith('/batch') ? [body, body] : body,
        })
        expect(answer.status).toBeLessThan(500)
        if (answer.status < 400) return
        const { errors } = answer.json as { errors: unknown[] }
        for (const error of errors) expect(error).toEqual({ path: expect.any(String), message: expect.any(String) })
      }),
      { numRuns: 400 },
    )
  })
})
