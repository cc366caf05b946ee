import { once } from 'node:events'
import { connect } from 'node:net'
import fc from 'fast-check'
import type { BatchAccepted, EventView, Page, Problem } from '@runbell/sdk/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anEvent, get, newType, post, publish, request, type Answer, type RequestOptions } from '../support/client.ts'
import { ADMIN_KEY } from '../support/server-process.ts'
import { shareServer } from '../support/shared-server.ts'
import {
  BAD_BODIES,
  BAD_ENDPOINTS,
  BAD_FIELDS,
  BAD_QUERIES,
  ID_ROUTES,
  ODD_IDS,
  type Expected,
} from './bad-input-cases.ts'

/** Part of payloads, and never of an answer about them. */
const CANARY = 'payload-canary-5e1f'

const EVENT_BYTES = 256 * 1024
const BATCH_BYTES = 5 * 1024 * 1024

describe('Errors are RFC 9457 `application/problem+json`; whatever comes in, none of them is a 5xx.', () => {
  const server = shareServer()
  const pages = new Map<string, number>()

  /** A problem as the interfaces describe it, with a page that explains its type. */
  async function expectProblem(answer: Answer<Problem>, expected: Partial<Expected> = {}): Promise<void> {
    const { json, headers, status } = answer
    const said = answer.bytes.toString() + JSON.stringify([...headers])
    expect([CANARY, ADMIN_KEY].filter((secret) => said.includes(secret))).toEqual([])
    expect(status).toBeGreaterThanOrEqual(400)
    expect(status).toBeLessThan(500)
    expect(headers.get('content-type')).toBe('application/problem+json')
    expect(json).toEqual({
      type: expect.stringMatching(/^\//),
      title: expect.stringMatching(/\w/),
      status,
      detail: expect.stringMatching(/\w/),
      code: expect.stringMatching(/^[a-z_]+$/),
      errors: expect.any(Array),
      retryable: expect.any(Boolean),
      suggested_fix: expect.stringMatching(/\w/),
      request_id: headers.get('x-request-id'),
    })
    const { path, ...codes } = expected
    expect(json).toMatchObject(codes)
    if (path !== undefined) expect(json.errors.map((error) => error.path)).toContain(path)
    for (const error of json.errors) expect(error.path).toMatch(/^(\/.*)?$/)
    if (!pages.has(json.type)) pages.set(json.type, (await fetch(server.url + json.type)).status)
    expect(pages.get(json.type)).toBe(200)
  }

  const send = (method: string, path: string, options: RequestOptions = {}) =>
    request<Problem>(server, method, path, options)
  const sendEvent = (options: RequestOptions) => send('POST', '/v1/events', options)

  // A single fault of our own, anywhere in this file, would be in the log.
  afterAll(() => {
    expect(server.process.log()).not.toMatch(/request failed/)
    expect([CANARY, ADMIN_KEY].filter((secret) => server.process.log().includes(secret))).toEqual([])
  })

  describe('publishing', () => {
    test.each(BAD_FIELDS)('an event with %j is refused with the place', async (change, expected) => {
      await expectProblem(
        await sendEvent({ body: anEvent(newType(), { run_id: 'run', data: { note: CANARY }, ...change }) }),
        expected,
      )
    })

    test.each(BAD_BODIES)('%s is refused', async (_name, body, expected) => {
      await expectProblem(await sendEvent({ body: body(anEvent(newType(), { metadata: { note: CANARY } })) }), expected)
    })

    test('a field that an agent does not have is left out, and the answer says so', async () => {
      const { warnings } = await publish(server, anEvent(newType(), { agent: { id: 'a', colour: 'red' } }))
      expect(warnings).toMatchObject([{ code: 'field_dropped', path: '/agent/colour' }])
    })

    test('several wrong fields are all named', async () => {
      const answer = await sendEvent({ body: { type: newType(), event_id: 'x', colour: 1 } })
      const paths = answer.json.errors.map(({ path }) => path)
      expect(paths).toEqual(expect.arrayContaining(['/data', '/agent', '/event_id', '/colour']))
    })

    test('256 KiB are taken, one byte more is 413, whether its length is announced or not', async () => {
      const event = (bytes: number) => {
        const [start, end] = JSON.stringify(anEvent(newType(), { data: { t: '@' } })).split('@')
        return `${start}${'x'.repeat(bytes - `${start}${end}`.length)}${end}`
      }
      expect((await sendEvent({ body: event(EVENT_BYTES) })).status).toBe(202)
      const tooLarge = { status: 413, code: 'payload_too_large' }
      await expectProblem(await sendEvent({ body: event(EVENT_BYTES + 1) }), tooLarge)
      await expectProblem(await sendEvent({ body: event(EVENT_BYTES * 30) }), tooLarge)
      const chunked = await fetch(`${server.url}/v1/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
        body: new Blob([event(EVENT_BYTES + 1)]).stream(),
        duplex: 'half',
      } as RequestInit)
      expect([chunked.status, ((await chunked.json()) as Problem).code]).toEqual([413, 'payload_too_large'])
    })

    test.each<[string, Record<string, string>]>([
      ['text/plain', { 'content-type': 'text/plain' }],
      ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
      ['NDJSON for one event', { 'content-type': 'application/x-ndjson' }],
      ['another charset', { 'content-type': 'application/json; charset=latin1' }],
      ['a compressed body', { 'content-encoding': 'gzip' }],
      ['a content type that is none', { 'content-type': ';;;' }],
    ])('%s is 415', async (_name, headers) => {
      const answer = await sendEvent({ body: anEvent(newType()), headers })
      await expectProblem(answer, { status: 415, code: 'unsupported_media_type' })
    })

    test.each(['', 'x'.repeat(256), 'caf\u00e9'])('an Idempotency-Key of %j is refused with its place', async (key) => {
      const answer = await sendEvent({ body: anEvent(newType()), headers: { 'idempotency-key': key } })
      await expectProblem(answer, { status: 422, code: 'invalid_request', path: '/headers/idempotency-key' })
    })

    test('whatever is done to a good event, the answer is 202 or a problem', async () => {
      const good = Buffer.from(JSON.stringify(anEvent(newType(), { run_id: 'r', metadata: { a: 'b' } })))
      const edit = fc.record({ at: fc.nat(good.length), drop: fc.nat(5), put: fc.uint8Array({ maxLength: 5 }) })
      await fc.assert(
        fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
          let body = good
          for (const { at, drop, put } of edits) {
            body = Buffer.concat([body.subarray(0, at), put, body.subarray(at + drop)])
          }
          const answer = await sendEvent({ body })
          if (answer.status !== 202) await expectProblem(answer)
        }),
        { numRuns: 300 },
      )
    })
  })

  describe('publishing a batch', () => {
    const sendBatch = (options: RequestOptions) => send('POST', '/v1/events/batch', options)
    const ndjson = { 'content-type': 'application/x-ndjson' }

    test.each<[string, string, Expected]>([
      ['nothing', '', { status: 400, code: 'malformed_json' }],
      ['a broken array', '[{}', { status: 400, code: 'malformed_json' }],
      ['something after the array', '[]x', { status: 400, code: 'malformed_json' }],
      ['more than 1,000 items', `[${'{},'.repeat(1000)}{}]`, { status: 413, code: 'payload_too_large' }],
      ['more than 5 MiB', ' '.repeat(BATCH_BYTES + 1), { status: 413, code: 'payload_too_large' }],
    ])('%s is refused as a whole', async (_name, body, expected) => {
      await expectProblem(await sendBatch({ body }), expected)
    })

    test.each(['{}', '7', '"text"', 'null'])('%s is no array and is refused', async (body) => {
      await expectProblem(await sendBatch({ body }))
    })

    test('more than 1,000 lines are refused as a whole', async () => {
      await expectProblem(await sendBatch({ body: '{}\n'.repeat(1001), headers: ndjson }), { status: 413 })
    })

    test.each<[string, Record<string, string>, (items: string[]) => string]>([
      ['a JSON array', {}, (items) => `[${items.join(',')}]`],
      ['NDJSON', ndjson, (items) => items.join('\n')],
    ])('in %s each bad item is rejected by itself, with its problem', async (_name, headers, join) => {
      const good = JSON.stringify(anEvent(newType()))
      const bad = [
        '7',
        'null',
        '[]',
        '{}',
        '{"type":1}',
        good.replace('"n":1', '"n":1,"n":2'),
        good.replace('acme', 'agent'),
      ]
      const body = join([good, ...bad, good])
      const answer = await request<BatchAccepted>(server, 'POST', '/v1/events/batch', { body, headers })
      expect(answer.status).toBe(202)
      const statuses = answer.json.results.map(({ status }) => status)
      expect(statuses).toEqual(['accepted', ...bad.map(() => 'rejected'), 'accepted'])
      for (const result of answer.json.results) {
        if (result.status !== 'rejected') continue
        expect(result.problem).toMatchObject({ code: expect.stringMatching(/^[a-z_]+$/), retryable: false })
        expect(result.problem.status).toBeLessThan(500)
      }
    })

    test('a line that is no JSON rejects that line only', async () => {
      const good = JSON.stringify(anEvent(newType()))
      const body = `${good}\n{"type":\n\n\u0000\n${good}\n`
      const { json } = await request<BatchAccepted>(server, 'POST', '/v1/events/batch', { body, headers: ndjson })
      const got = json.results.map((result) => (result.status === 'rejected' ? result.problem.code : result.status))
      expect(got).toEqual(['accepted', 'malformed_json', 'malformed_json', 'accepted'])
    })

    test('one item over 256 KiB is rejected by itself', async () => {
      const large = JSON.stringify(anEvent(newType(), { data: { t: 'x'.repeat(EVENT_BYTES) } }))
      const body = `[${large},${JSON.stringify(anEvent(newType()))}]`
      const { results } = await post<BatchAccepted>(server, '/v1/events/batch', body)
      expect(results).toMatchObject([
        { status: 'rejected', problem: { code: 'payload_too_large' } },
        { status: 'accepted' },
      ])
    })
  })

  describe('endpoints', () => {
    test.each(BAD_ENDPOINTS)('%j is refused with the place', async (change, expected) => {
      const body = { url: 'https://example.com/', ...change }
      await expectProblem(await send('POST', '/v1/endpoints', { body }), expected)
    })

    test.each(['', '[]', '{', 'null', '{"url":1,"url":1}', `{"url":"${'x'.repeat(70_000)}"}`])(
      'a body that is none is refused: %.20s',
      async (body) => {
        await expectProblem(
          await send('POST', '/v1/endpoints', { body, headers: { 'content-type': 'application/json' } }),
        )
      },
    )
  })

  describe('paths, methods and queries', () => {
    test.each(ODD_IDS.map((id) => [id]))('%.40s is an id of nothing, on every route', async (id) => {
      for (const [method, path] of ID_ROUTES) {
        const options = method === 'GET' || method === 'DELETE' ? {} : { body: {} }
        await expectProblem(await send(method, path(id), options))
      }
    })

    test.each([
      '/',
      '/v1',
      '/v1/',
      '/v2/events',
      '/v1/nothing',
      '/v1/events/a/b/c',
      '//',
      '/v1//events',
      '/%2e%2e/x',
      '/%ff',
    ])('%s is no route', async (path) => {
      await expectProblem(await send('GET', path), { status: 404, code: 'not_found' })
    })

    test.each([
      ['PUT', '/v1/events'],
      ['DELETE', '/v1/events'],
      ['PATCH', '/v1/events/evt_00000000'],
      ['GET', '/v1/events/batch/'],
      ['POST', '/v1/deliveries'],
      ['PUT', '/v1/endpoints/ep_0'],
      ['OPTIONS', '/v1/endpoints'],
      ['PROPFIND', '/v1/events'],
      ['POST', '/livez'],
    ])('%s %s is refused', async (method, path) => {
      const answer = await send(method, path)
      await expectProblem(answer)
      if (answer.status === 405) expect(answer.headers.get('allow')).toMatch(/^[A-Z]+(, [A-Z]+)*$/)
    })

    test('a method a route does not have is 405 and says which it has', async () => {
      const answer = await send('PUT', '/v1/events')
      await expectProblem(answer, { status: 405 })
      expect(answer.headers.get('allow')?.split(', ').sort()).toEqual(['GET', 'HEAD', 'POST'])
    })

    test.each(BAD_QUERIES)('?%s is refused with the place', async (query, name) => {
      const expected = { status: 422, code: 'invalid_request' }
      for (const list of ['events', 'deliveries', 'dead-letters']) {
        const answer = await send('GET', `/v1/${list}?${query}`)
        await expectProblem(answer, expected)
        expect(answer.json.errors[0]?.path).toMatch(new RegExp(`^/query/${name}(/\\d+)?$`))
      }
    })

    test('a cursor that this server did not make for this list is cursor_invalid', async () => {
      const type = newType()
      for (let count = 0; count < 3; count++) await publish(server, anEvent(type))
      const page = (query: string) => send('GET', `/v1/events?limit=1&type=${type}&${query}`)
      const { next_cursor: cursor } = await get<Page<EventView>>(server, `/v1/events?limit=1&type=${type}`)
      expect((await page(`cursor=${cursor}`)).status).toBe(200)
      const invalid = { status: 400, code: 'cursor_invalid' }
      const last = cursor?.at(-1) === 'A' ? 'B' : 'A'
      const cursors = [
        'x',
        'not-a-cursor',
        'A'.repeat(32),
        `${cursor?.slice(0, -1)}${last}`,
        '%00',
        '%27',
        '1',
        '-1',
        `${cursor}=`,
      ]
      for (const bad of cursors) await expectProblem(await page(`cursor=${bad}`), invalid)
      await expectProblem(await send('GET', `/v1/events?cursor=${cursor}`), invalid)
      await expectProblem(await send('GET', `/v1/deliveries?cursor=${cursor}`), invalid)
      await expectProblem(await page(`cursor=${'x'.repeat(5000)}`))
      await expectProblem(await page('cursor='))
    })
  })

  describe('keys', () => {
    let revoked: string

    beforeAll(async () => {
      const made = await post<{ id: string; key: string }>(server, '/v1/api-keys', { scopes: ['admin'] })
      revoked = made.key
      await send('DELETE', `/v1/api-keys/${made.id}`)
    })

    const nobody = ADMIN_KEY.replace(/_[a-z0-9]{16}_/, '_0000000000000000_')
    test.each<[string, () => string | null]>([
      ['no key', () => null],
      ['no scheme', () => ADMIN_KEY],
      ['another scheme', () => `Basic ${Buffer.from(`a:${ADMIN_KEY}`).toString('base64')}`],
      ['nothing after the scheme', () => 'Bearer '],
      ['a key with a wrong check', () => `Bearer ${ADMIN_KEY.slice(0, -1)}${ADMIN_KEY.endsWith('0') ? '1' : '0'}`],
      ['a key nobody has', () => `Bearer ${nobody}`],
      ['a key of the other mode', () => `Bearer ${ADMIN_KEY.replace('rb_live_', 'rb_test_')}`],
      ['a revoked key', () => `Bearer ${revoked}`],
      ['a long key', () => `Bearer ${'x'.repeat(10_000)}`],
    ])('%s is 401, the same for all, on every kind of route', async (_name, authorization) => {
      const header = authorization()
      const headers: Record<string, string> = header === null ? {} : { authorization: header }
      for (const [method, path] of [
        ['POST', '/v1/events'],
        ['POST', '/v1/events/batch'],
        ['GET', '/v1/events/evt_00000000'],
        ['GET', '/v1/deliveries'],
      ] as const) {
        const body = method === 'POST' ? { body: anEvent(newType()) } : {}
        const answer = await send(method, path, { ...body, headers, key: null })
        await expectProblem(answer, { status: 401, code: 'unauthenticated' })
        expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/)
      }
    })

    test('a key without the scope is 403; another tenant is 403 and what is there 404', async () => {
      const reader = (await post<{ key: string }>(server, '/v1/api-keys', { scopes: ['read'] })).key
      const forbidden = { status: 403, code: 'insufficient_scope' }
      await expectProblem(await sendEvent({ body: anEvent(newType()), key: reader }), forbidden)
      await expectProblem(await send('POST', '/v1/endpoints', { body: {}, key: reader }), forbidden)

      const bound = { scopes: ['publish', 'read'], tenant_id: 'bad-input' }
      const { key } = await post<{ key: string }>(server, '/v1/api-keys', bound)
      const { event_id: eventId } = await publish(server, anEvent(newType()))
      const body = anEvent(newType(), { tenant_id: 'somebody-else' })
      await expectProblem(await sendEvent({ body, key }), { ...forbidden, path: '/tenant_id' })
      await expectProblem(await send('GET', '/v1/events?tenant_id=default', { key }), forbidden)
      await expectProblem(await send('GET', `/v1/events/${eventId}`, { key }), { status: 404, code: 'not_found' })
      expect((await send('GET', `/v1/events/${eventId}`)).status).toBe(200)
    })
  })

  describe('what is hardly HTTP', () => {
    /** Everything that comes back for these bytes. */
    async function answerTo(bytes: string): Promise<string> {
      const { hostname, port } = new URL(server.url)
      const socket = connect(Number(port), hostname)
      let text = ''
      socket.setEncoding('utf8').on('data', (part: string) => (text += part))
      socket.on('error', () => {})
      await once(socket, 'connect')
      socket.end(bytes, 'latin1')
      await once(socket, 'close')
      return text
    }

    const key = `authorization: Bearer ${ADMIN_KEY}\r\n`
    test.each<[string, string]>([
      ['garbage', 'hello\r\n\r\n'],
      ['headers over 16 KiB', `GET /livez HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`],
      ['a length that is no number', `POST /v1/events HTTP/1.1\r\nhost: a\r\n${key}content-length: many\r\n\r\n`],
      ['a chunk that is none', `POST /v1/events HTTP/1.1\r\nhost: a\r\n${key}transfer-encoding: chunked\r\n\r\nzz\r\n`],
      ['a method that is none', 'GE T / HTTP/1.1\r\nhost: a\r\n\r\n'],
      ['a version that is none', 'GET /livez HTTP/9.9\r\nhost: a\r\n\r\n'],
      ['a target that is no path', 'GET :::: HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'],
      ['no Host', 'GET /v1/nothing HTTP/1.1\r\nconnection: close\r\n\r\n'],
      ['a Host that is none', `GET /v1/events HTTP/1.1\r\nhost: a b/%\r\n${key}connection: close\r\n\r\n`],
    ])('%s is a 4xx with a problem', async (_name, bytes) => {
      const text = await answerTo(bytes)
      expect(text).toMatch(/^HTTP\/1\.1 4\d\d /)
      expect(text.toLowerCase()).toContain('content-type: application/problem+json')
      const problem = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as Problem
      expect(problem).toMatchObject({ code: expect.stringMatching(/^[a-z_]+$/), status: Number(text.slice(9, 12)) })
    })

    test('a request that is cut off in its body leaves the server as it was', async () => {
      const head = `POST /v1/events HTTP/1.1\r\nhost: a\r\n${key}content-type: application/json\r\ncontent-length: 100\r\n\r\n`
      await answerTo(`${head}{"type":`)
      expect(await publish(server, anEvent(newType()))).toMatchObject({ duplicate: false })
    })
  })
})
