import { existsSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import type { Page, EventView, Problem } from '@runbell/sdk/contract'
import { describe, expect, test } from 'vitest'
import { anEvent, get, newEventId, newType } from '../support/client.ts'
import { openRaw, readAnswers, untilClosed, type RawAnswer } from '../support/raw-http.ts'
import { ADMIN_KEY } from '../support/server-process.ts'
import { shareServer } from '../support/shared-server.ts'

const server = shareServer()
const port = () => Number(new URL(server.url).port)

const MIB = 1024 * 1024
const HOST = 'Host: runbell.test\r\n'
const AUTH = `${HOST}Authorization: Bearer ${ADMIN_KEY}\r\n`
const JSON_TYPE = 'Content-Type: application/json\r\n'
const LIVEZ = `GET /livez HTTP/1.1\r\n${HOST}\r\n`
const LAST_LIVEZ = `GET /livez HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`

/** A request that publishes, whole but for its framing. */
function publishing(framing: string, body: string, path = '/v1/events'): string {
  return `POST ${path} HTTP/1.1\r\n${AUTH}${JSON_TYPE}${framing}\r\n${body}`
}

function chunked(...parts: string[]): string {
  return [...parts, ''].map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')
}

function problemOf({ body }: RawAnswer): Problem {
  return JSON.parse(body) as Problem
}

/** What every answer has, whoever wrote it: a route, the router, or nobody because there was no request. */
function expectClean({ headers, status }: RawAnswer): void {
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    'cross-origin-resource-policy': 'same-origin',
    'content-security-policy': expect.stringContaining("default-src 'none'"),
    'x-request-id': expect.stringMatching(/^req_/),
    date: expect.stringMatching(/ GMT$/),
  })
  // It is plain http here: who sent this now would lock out whoever comes back over http.
  expect(headers).not.toHaveProperty('strict-transport-security')
  for (const name of ['server', 'x-powered-by', 'set-cookie', 'access-control-allow-origin', 'via']) {
    expect(headers).not.toHaveProperty(name)
  }
  if (status >= 400) expect(headers['content-type']).toBe('application/problem+json')
}

/** Memory of a process by what Linux says; elsewhere 0. */
function residentBytes(pid: number | undefined): number {
  const path = `/proc/${pid}/statm`
  return existsSync(path) ? Number(readFileSync(path, 'utf8').split(' ')[1]) * 4096 : 0
}

/** Nothing was stored under this type. */
async function expectNothing(type: string): Promise<void> {
  expect((await get<Page<EventView>>(server, `/v1/events?type=${type}`)).data).toEqual([])
}

describe('a request that two readers could read in two ways', () => {
  const type = newType()
  const body = JSON.stringify(anEvent(type))
  const length = `Content-Length: ${body.length}\r\n`
  const te = 'Transfer-Encoding: chunked\r\n'

  test.each<[string, string]>([
    ['a length and chunks', publishing(length + te, chunked(body))],
    ['chunks and a length', publishing(te + length, chunked(body))],
    ['the same length twice', publishing(length + length, body)],
    ['two lengths', publishing(`${length}Content-Length: 3\r\n`, body)],
    ['a list of lengths', publishing(`Content-Length: ${body.length}, ${body.length}\r\n`, body)],
    ['a negative length', publishing('Content-Length: -1\r\n', body)],
    ['a length with a sign', publishing(`Content-Length: +${body.length}\r\n`, body)],
    ['a length in hexadecimal', publishing(`Content-Length: 0x${body.length.toString(16)}\r\n`, body)],
    ['a length beyond 64 bits', publishing('Content-Length: 99999999999999999999999\r\n', body)],
    ['a chunk size that is no number', publishing(te, `zz\r\n${body}\r\n0\r\n\r\n`)],
    ['a chunk size with a sign', publishing(te, `-5\r\n${body}\r\n0\r\n\r\n`)],
    ['a chunk size beyond 64 bits', publishing(te, `fffffffffffffffff\r\n${body}\r\n0\r\n\r\n`)],
    ['a chunk longer than it says', publishing(te, `2\r\n${body}\r\n0\r\n\r\n`)],
    ['a chunk ended by a bare LF', publishing(te, `${body.length.toString(16)}\n${body}\n0\n\n`)],
    ['chunks twice', publishing(te + te, chunked(body))],
    ['chunks that are not last', publishing('Transfer-Encoding: chunked, gzip\r\n', chunked(body))],
    ['a coding before the chunks', publishing('Transfer-Encoding: gzip, chunked\r\n', chunked(body))],
    ['a coding that only looks like chunks', publishing('Transfer-Encoding: xchunked\r\n', chunked(body))],
    ['a space before the colon', publishing('Transfer-Encoding : chunked\r\n', chunked(body))],
    ['a folded header', publishing(`${length}X-A: b\r\n c\r\n`, body)],
    ['a header ended by a bare LF', publishing(`X-A: b\n${length}`, body)],
    ['a header ended by a bare CR', publishing(`X-A: b\r${length}`, body)],
    ['a request line ended by a bare LF', publishing(length, body).replace('\r\n', '\n')],
    ['NUL in a header', publishing(`${length}X-A: b\0c\r\n`, body)],
    ['NUL in the name of a header', publishing(`${length}X\0A: b\r\n`, body)],
    ['a control character in a header', publishing(`${length}X-A: b\x01c\r\n`, body)],
    ['no Host', publishing(length, body).replace(HOST, '')],
    ['an empty Host', publishing(length, body, '/v1/%65vents').replace(HOST, 'Host:\r\n')],
    ['a Host with a user', publishing(length, body, '/v1/%65vents').replace(HOST, 'Host: a@b\r\n')],
    ['two Hosts', publishing(`${length}host: other.test\r\n`, body)],
    ['two keys', publishing(`${length}AUTHORIZATION: Bearer other\r\n`, body)],
    ['two content types', publishing(`${length}content-type: text/plain\r\n`, body)],
    ['a version from the future', publishing(length, body).replace('HTTP/1.1', 'HTTP/2.0')],
    ['a version that never was', publishing(length, body).replace('HTTP/1.1', 'HTTP/1.2')],
    ['no version', publishing(length, body).replace(' HTTP/1.1', '')],
    ['chunks over HTTP/1.0', publishing(te, chunked(body)).replace('HTTP/1.1', 'HTTP/1.0')],
    ['a target that is another scheme', publishing(length, body, 'ftp://runbell.test/v1/events')],
    ['a target that is an asterisk', publishing(length, body, '*')],
    ['a target that is a backslash', publishing(length, body, '\\v1\\events')],
    ['an expectation of something else', publishing(`${length}Expect: a-pony\r\n`, body)],
    ['a method that is none', publishing(length, body).replace('POST', 'PO ST')],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('(%s) is 400, stores nothing, and ends its connection', async (what, bytes) => {
    // Were the rest taken for a request of its own, there would be a second answer.
    const connection = openRaw(port(), bytes)
    const [answer, ...more] = await connection.answers(1)
    expect([what, answer?.status, more]).toEqual([what, 400, []])
    expectClean(answer as RawAnswer)
    const { code, suggested_fix: fix, request_id: id } = problemOf(answer as RawAnswer)
    expect(code).toBe('malformed_http')
    expect(fix).not.toBe('')
    expect(id).toBe(answer?.headers['x-request-id'])
    connection.socket.destroy()
    await expectNothing(type)
  })

  test('that comes after one that was accepted is answered after it', async () => {
    const own = newType()
    const event = JSON.stringify(anEvent(own))
    const request = publishing(`Content-Length: ${event.length}\r\n`, event)
    const answers = await untilClosed(port(), `${request}${request}garbage garbage\r\n\r\n`)
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 400])
    expect((await get<Page<EventView>>(server, `/v1/events?type=${own}`)).data).toHaveLength(2)
  })
})

describe('headers', () => {
  test.each([
    ['longer than 16 KiB', `X-A: ${'x'.repeat(17_000)}\r\n`],
    ['more than 16 KiB in all', `X-A: ${'x'.repeat(1000)}\r\n`.repeat(20)],
    ['more than 128', 'a: b\r\n'.repeat(130)],
    ['more than node:http counts', 'a: b\r\n'.repeat(2001)],
  ])('%s are 431', async (_what, headers) => {
    const [answer] = await untilClosed(port(), `GET /livez HTTP/1.1\r\n${HOST}${headers}\r\n`)
    expect([answer?.status, problemOf(answer as RawAnswer).code]).toEqual([431, 'headers_too_large'])
    expectClean(answer as RawAnswer)
  })

  test('without an end are 431 as soon as they are too long', async () => {
    const connection = openRaw(port(), `GET /livez HTTP/1.1\r\n${HOST}X-A: ${'x'.repeat(20_000)}`)
    expect((await connection.answers(1))[0]?.status).toBe(431)
    await connection.closed()
  })

  test('a URL longer than that is 431', async () => {
    const [answer] = await untilClosed(port(), `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n${HOST}\r\n`)
    expect(answer?.status).toBe(431)
  })

  test('up to 128 are taken', async () => {
    const [answer] = await readAnswers(port(), `GET /livez HTTP/1.1\r\n${HOST}${'a: b\r\n'.repeat(127)}\r\n`)
    expect(answer?.status).toBe(200)
  })
})

describe('bodies', () => {
  test('in chunks with extensions and trailers are what is in the chunks', async () => {
    const type = newType()
    const body = JSON.stringify(anEvent(type))
    const half = body.length >> 1
    const chunks = [body.slice(0, half), body.slice(half)]
      .map((part) => `${part.length.toString(16)};name="value";other\r\n${part}\r\n`)
      .join('')
    const trailer = '0\r\nAuthorization: Bearer nobody\r\n\r\n'
    const answers = await readAnswers(
      port(),
      publishing('Transfer-Encoding: chunked\r\n', `${chunks}${trailer}`) + LIVEZ,
      2,
    )
    expect(answers.map(({ status }) => status)).toEqual([202, 200])
  })

  test('with chunk extensions that do not end are 413', async () => {
    const [answer] = await untilClosed(
      port(),
      publishing('Transfer-Encoding: chunked\r\n', `2;${'x'.repeat(20_000)}\r\n{}\r\n`),
    )
    expect(answer?.status).toBe(413)
    expectClean(answer as RawAnswer)
  })

  test.each([
    ['/v1/events', 262_144],
    ['/v1/events/batch', 5_242_880],
    ['/v1/endpoints', 65_536],
  ])('that do not end are 413 at the limit of %s, and their connection is cut', async (path, limit) => {
    const connection = openRaw(port(), publishing('Transfer-Encoding: chunked\r\n', '', path))
    const chunk = Buffer.from(`10000\r\n${' '.repeat(0x1_0000)}\r\n`)
    const before = residentBytes(server.process.child.pid)
    let sent = 0
    const more = () => {
      while (!connection.socket.destroyed && sent < 256 * MIB) {
        sent += 0x1_0000
        if (!connection.socket.write(chunk)) return void connection.socket.once('drain', more)
      }
    }
    more()
    const [answer] = await connection.answers(1)
    expect([answer?.status, problemOf(answer as RawAnswer).code]).toEqual([413, 'payload_too_large'])
    expectClean(answer as RawAnswer)
    await connection.closed()
    // What the kernel holds on both sides comes on top of what is discarded so that the client can see its answer.
    expect(sent).toBeLessThan(limit + 100 * MIB)
    // Buffers that were let go of count until they are collected.
    expect(residentBytes(server.process.child.pid) - before).toBeLessThan(64 * MIB)
  })

  test.each(['/v1/events', '/v1/events/batch', '/v1/endpoints'])(
    'announced as too long are 413 without being read (%s)',
    async (path) => {
      const bytes = publishing('Content-Length: 999999999999\r\n', '', path)
      const [answer] = await readAnswers(port(), bytes)
      expect([answer?.status, problemOf(answer as RawAnswer).code]).toEqual([413, 'payload_too_large'])
    },
  )

  test.each(['/v1/events', '/v1/events/batch', '/v1/endpoints'])(
    'that are compressed are 415 with what to do (%s)',
    async (path) => {
      const zip = gzipSync(Buffer.from('{}')).toString('latin1')
      const bytes = publishing(`Content-Encoding: gzip\r\nContent-Length: ${zip.length}\r\n`, zip, path)
      const answers = await readAnswers(port(), bytes + LIVEZ, 2)
      expect(answers.map(({ status }) => status)).toEqual([415, 200])
      const { code, suggested_fix: fix } = problemOf(answers[0] as RawAnswer)
      expect([code, fix]).toEqual([
        'unsupported_media_type',
        'Send the body uncompressed, without the header content-encoding.',
      ])
      expectClean(answers[0] as RawAnswer)
    },
  )

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=utf-16',
    'text/json',
    '',
  ])('of type "%s" are 415', async (type) => {
    const bytes = publishing('Content-Length: 2\r\n', '{}').replace(JSON_TYPE, `Content-Type: ${type}\r\n`)
    const [answer] = await readAnswers(port(), bytes)
    expect([answer?.status, problemOf(answer as RawAnswer).code]).toEqual([415, 'unsupported_media_type'])
  })

  test('with something after the JSON are 400', async () => {
    const [answer] = await readAnswers(port(), publishing('Content-Length: 6\r\n', '{} {} '))
    expect([answer?.status, problemOf(answer as RawAnswer).code]).toEqual([400, 'malformed_json'])
  })

  test('of a GET are read past', async () => {
    const get5 = `GET /livez HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nGET /`
    expect((await readAnswers(port(), get5 + LIVEZ, 2)).map(({ status }) => status)).toEqual([200, 200])
  })
})

describe('Expect: 100-continue', () => {
  test('is told to go on, and then answered', async () => {
    const type = newType()
    const body = JSON.stringify(anEvent(type))
    const connection = openRaw(port(), publishing(`Expect: 100-continue\r\nContent-Length: ${body.length}\r\n`, ''))
    expect((await connection.answers(1))[0]?.status).toBe(100)
    connection.socket.write(body)
    expect((await connection.answers(2))[1]?.status).toBe(202)
    connection.socket.destroy()
  })

  test.each([
    ['too long', publishing('Expect: 100-continue\r\nContent-Length: 300000\r\n', ''), 413],
    ['without a key', `POST /v1/events HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`, 401],
    ['compressed', publishing('Expect: 100-continue\r\nContent-Encoding: br\r\nContent-Length: 9\r\n', ''), 415],
  ])('is refused before the body is sent where it is %s', async (_what, bytes, status) => {
    const answers = await untilClosed(port(), bytes)
    expect(answers.map((answer) => answer.status)).toEqual([status])
    expectClean(answers[0] as RawAnswer)
  })
})

describe('methods and targets', () => {
  test.each(['example.com:443', '127.0.0.1:80', '/livez'])('CONNECT %s opens no tunnel', async (target) => {
    const [answer] = await untilClosed(port(), `CONNECT ${target} HTTP/1.1\r\n${HOST}\r\n`)
    expect([answer?.status, problemOf(answer as RawAnswer).code]).toEqual([405, 'method_not_allowed'])
    expect(answer?.headers['allow']).toContain('GET')
    expectClean(answer as RawAnswer)
  })

  test('CONNECT after another request is answered after it', async () => {
    const type = newType()
    const body = JSON.stringify(anEvent(type))
    const before = publishing(`Content-Length: ${body.length}\r\n`, body)
    const answers = await untilClosed(port(), `${before}CONNECT example.com:443 HTTP/1.1\r\n${HOST}\r\n`)
    expect(answers.map(({ status }) => status)).toEqual([202, 405])
  })

  test.each(['/livez', '/v1/events', '/nothing'])('TRACE %s repeats nothing', async (path) => {
    const [answer] = await readAnswers(port(), `TRACE ${path} HTTP/1.1\r\n${HOST}Cookie: canary\r\n\r\n`)
    expect([404, 405]).toContain(answer?.status)
    expect(answer?.body).not.toContain('canary')
    expectClean(answer as RawAnswer)
  })

  test.each(['websocket', 'h2c', 'TLS/1.0'])('an offer to change to %s is not taken up', async (protocol) => {
    const offer = `Connection: Upgrade, HTTP2-Settings\r\nUpgrade: ${protocol}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n`
    const [answer] = await untilClosed(port(), `GET /livez HTTP/1.1\r\n${HOST}${offer}\r\n`)
    expect([answer?.status, answer?.headers['connection']]).toEqual([200, 'close'])
    expect(answer?.headers).not.toHaveProperty('upgrade')
    // As curl does by itself when it is asked for HTTP/2.
    const type = newType()
    const body = JSON.stringify(anEvent(type))
    const [published] = await untilClosed(port(), publishing(`${offer}Content-Length: ${body.length}\r\n`, body))
    expect(published?.status).toBe(202)
  })

  test('a whole URL is taken, and leads nowhere else', async () => {
    const [answer] = await readAnswers(port(), `GET http://other.test/livez HTTP/1.1\r\n${HOST}\r\n`)
    expect([answer?.status, answer?.body]).toEqual([200, expect.stringContaining('"status":"ok"')])
  })

  test('HTTP/1.0 is answered, and its connection closed', async () => {
    const [answer] = await untilClosed(port(), 'GET /livez HTTP/1.0\r\n\r\n')
    expect([answer?.status, answer?.headers['connection']]).toEqual([200, 'close'])
  })

  test.each(['/nothing', '/v1/nothing', '/%zz', '//livez', '/livez/../v1/events', '/v1/events/%2e%2e/%00'])(
    'GET %s is refused cleanly',
    async (path) => {
      const [answer] = await readAnswers(port(), `GET ${path} HTTP/1.1\r\n${HOST}\r\n`)
      expect([400, 401, 404]).toContain(answer?.status)
      expectClean(answer as RawAnswer)
    },
  )
})

describe('requests sent ahead', () => {
  test('are all answered, in their order', async () => {
    const type = newType()
    const ids = Array.from({ length: 40 }, () => newEventId('ahead'))
    const requests = ids.map((id, index) => {
      const body = JSON.stringify(anEvent(type, { event_id: id }))
      // Some are answered at once, some wait for a commit: only the order of the answers says whose they are.
      return `${index % 5 === 0 ? `GET /v1/events/${id} HTTP/1.1\r\n${HOST}\r\n` : ''}${publishing(`Content-Length: ${body.length}\r\n`, body)}`
    })
    const answers = await untilClosed(port(), requests.join('') + LAST_LIVEZ)
    expect(answers).toHaveLength(49)
    const accepted = answers.filter(({ status }) => status === 202)
    expect(accepted.map(({ body }) => (JSON.parse(body) as { event_id: string }).event_id)).toEqual(ids)
    expect(answers.flatMap(({ status }, index) => (status === 401 ? [index] : []))).toEqual([
      0, 6, 12, 18, 24, 30, 36, 42,
    ])
  })

  test('by the hundreds on one connection cost it the connection', async () => {
    const connection = openRaw(port(), LIVEZ.repeat(5000))
    await connection.closed()
    expect((await readAnswers(port(), LIVEZ))[0]?.status).toBe(200)
  })
})
