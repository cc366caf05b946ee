import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PROBLEMS, type Problem, type ProblemCode } from '@runbell/sdk/contract'
import { afterAll, describe, expect, test } from 'vitest'
import { createTestApi, sampleEvent } from '../../packages/server/src/api/testing/test-api.ts'
import { MemoryStore } from '../../packages/server/src/store/memory/memory-store.ts'
import { StoreUnavailable } from '../../packages/server/src/store/store.ts'
import { createHttpServer, HTTP_BOUNDS, listen } from '../../packages/server/src/wiring/http-server.ts'
import {
  anEvent,
  createEndpoint,
  newEventId,
  newType,
  post,
  publish,
  request,
  untilDelivery,
  type RequestOptions,
} from '../support/client.ts'
import { plantedForms } from '../support/planted-secrets.ts'
import { openRaw, untilClosed, type RawAnswer } from '../support/raw-http.ts'
import { ADMIN_KEY, TEST_ADMIN_KEY } from '../support/server-process.ts'
import { shareServer } from '../support/shared-server.ts'

/** In every value that a producer or the owner of an endpoint writes. Letters alone: it is not to be masked. */
const CANARY = 'quietly the canary sings of payloads'

/** Everything a test has brought about so far, by its code. */
const seen = new Set<ProblemCode>()

/** The forms of what may be neither in an error nor in the log. */
function forbidden(secrets: readonly string[]): [what: string, bytes: Buffer][] {
  return secrets.flatMap((secret) => {
    // Also what is left of it where it was cut off.
    const parts = secret.startsWith('rb_') ? [secret, secret.split('_')[3] as string] : [secret]
    return parts.flatMap((part) => plantedForms(part).map(([form, bytes]): [string, Buffer] => [form, bytes]))
  })
}

function expectNone(place: string, content: Buffer, secrets: readonly string[]): void {
  for (const [form, bytes] of forbidden(secrets)) {
    expect(content.includes(bytes), `${form} ${bytes.toString()} in ${place}`).toBe(false)
  }
}

describe('no error, no line of the log and no file has a key in it, and no error and no line what was published', () => {
  const server = shareServer({
    RUNBELL_LOG_LEVEL: 'debug',
    RUNBELL_RETRY_SCHEDULE: '50ms',
    RUNBELL_LIMIT_RUN_EVENTS: '3',
    RUNBELL_LIMIT_ENDPOINTS: '6',
  })
  const keys = [ADMIN_KEY, TEST_ADMIN_KEY]

  const filled = (type: string, more: Record<string, unknown> = {}) =>
    anEvent(type, { data: { text: CANARY }, agent: { id: 'a', name: CANARY }, metadata: { note: CANARY }, ...more })
  const ask = (method: string, path: string, options: RequestOptions = {}) =>
    request<Problem>(server, method, path, options)
  const send = (event: unknown, options: RequestOptions = {}) => ask('POST', '/v1/events', { body: event, ...options })
  const inRun = (run: string, type: string, data: Record<string, unknown>) =>
    filled(`agent.${type}`, { run_id: run, data })
  const failure = { status: 'failed', error: { code: 'tool_error', message: CANARY, retryable: false } }

  async function newKey(scopes: string[]): Promise<string> {
    const { key } = await post<{ key: string }>(server, '/v1/api-keys', { scopes })
    keys.push(key)
    return key
  }

  type Brings = () => Promise<{ status: number; headers: unknown; bytes: Buffer }>

  const head = `POST /v1/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${ADMIN_KEY}\r\nX-Note: ${CANARY}\r\n`

  /** What no client would send. */
  async function raw(text: string): ReturnType<Brings> {
    const [answer] = await untilClosed(Number(new URL(server.url).port), text)
    const { status, headers, body } = answer as RawAnswer
    return { status, headers, bytes: Buffer.from(body) }
  }

  const CASES: Partial<Record<ProblemCode, Brings>> = {
    malformed_http: () => raw(`${head}Authorization: Bearer ${TEST_ADMIN_KEY}\r\n\r\n`),
    headers_too_large: () => raw(`${head}X-A: ${`${CANARY} `.repeat(700)}\r\n\r\n`),
    malformed_json: () => send(`{"data":{"text":"${CANARY}"},${CANARY}`),
    duplicate_key: () => send(`{"data":{"text":"${CANARY}","n":"${CANARY}","n":"${ADMIN_KEY}"}}`),
    too_deep: () => send(`{"data":${'['.repeat(40)}"${CANARY}"${']'.repeat(40)}}`),
    cursor_invalid: () => ask('GET', `/v1/events?cursor=${encodeURIComponent(ADMIN_KEY)}`),
    unauthenticated: () => ask('GET', '/v1/events', { key: `${ADMIN_KEY.slice(0, -8)}00000000` }),
    insufficient_scope: async () => send(filled(newType()), { key: await newKey(['read']) }),
    not_found: () => ask('GET', `/v1/events/${encodeURIComponent(CANARY)}/${ADMIN_KEY}`),
    method_not_allowed: () => ask('PUT', '/v1/events', { body: filled(newType()), headers: { 'x-note': CANARY } }),
    event_conflict: async () => {
      const event = filled(newType(), { event_id: newEventId() })
      await publish(server, event)
      return await send({ ...event, data: { text: CANARY, other: CANARY } })
    },
    run_already_ended: async () => {
      await publish(server, inRun('ended', 'run.completed', { status: 'completed', output: CANARY }))
      return await send(inRun('ended', 'run.failed', failure))
    },
    approval_already_decided: async () => {
      const decided = { approval_id: 'apr', status: 'approved', decided_by: { type: 'user', display: CANARY } }
      await ask('PATCH', '/v1/event-types/agent.approval.denied', { body: { lifecycle: 'reject' } })
      await publish(server, inRun('asks', 'approval.approved', { ...decided, reason: CANARY }))
      return await send(inRun('asks', 'approval.denied', { ...decided, status: 'denied', reason: CANARY }))
    },
    ambiguous_id: async () => {
      const event = filled(newType(), { event_id: newEventId() })
      for (const tenant of ['one', 'two']) await publish(server, { ...event, tenant_id: tenant })
      return await ask('GET', `/v1/events/${event.event_id}`)
    },
    policy_changed: async () => {
      const receiver = await server.receiver(() => 204)
      const type = 'agent.run.started'
      const { id } = await createEndpoint(server, receiver.url, type, { data_classes: ['prompt'] })
      await post(server, `/v1/endpoints/${id}/pause`)
      const event = inRun('narrowed', 'run.started', { status: 'running', input: CANARY })
      const { event_id: eventId } = await publish(server, event)
      await ask('PATCH', `/v1/endpoints/${id}`, { body: { data_classes: [] } })
      await post(server, `/v1/endpoints/${id}/resume`)
      const delivery = await untilDelivery(server, eventId)
      return await ask('POST', `/v1/deliveries/${delivery.id}/replay`, { body: {} })
    },
    state_conflict: async () => {
      const receiver = await server.receiver(() => 204)
      const type = newType()
      await createEndpoint(server, receiver.url, type, { description: CANARY, headers: { 'x-note': CANARY } })
      const delivery = await untilDelivery(server, (await publish(server, filled(type))).event_id)
      return await ask('POST', `/v1/deliveries/${delivery.id}/cancel`, { body: {} })
    },
    payload_expired: async () => {
      const { event_id: eventId } = await publish(server, filled(newType()))
      await post(server, `/v1/events/${eventId}/erase`)
      return await ask('POST', `/v1/events/${eventId}/replay`, { body: {} })
    },
    payload_too_large: () => send(filled(newType(), { data: { text: CANARY.repeat(10_000) } })),
    unsupported_media_type: () => send(CANARY, { headers: { 'content-type': `text/plain; x="${CANARY}"` } }),
    schema_mismatch: () => send(inRun('wrong', 'run.started', { status: CANARY, input: CANARY })),
    unknown_event_type: () => send(filled('acme.canary.unknown')),
    url_not_allowed: () => ask('POST', '/v1/endpoints', { body: endpoint({ url: withCanary('https://10.0.0.1') }) }),
    header_not_allowed: () => ask('POST', '/v1/endpoints', { body: endpoint({ headers: { cookie: CANARY } }) }),
    invalid_request: () => send(filled(newType(), { run_id: CANARY, timestamp: CANARY, trace_id: ADMIN_KEY })),
    rate_limited: async () => {
      await post(server, '/v1/tenants', { id: 'slow', events_per_second: 0.1 })
      await publish(server, filled(newType(), { tenant_id: 'slow' }))
      return await send(filled(newType(), { tenant_id: 'slow' }))
    },
    quota_exceeded: async () => {
      const create = () => ask('POST', '/v1/endpoints', { body: endpoint({ tenant_id: 'full' }) })
      for (let count = 0; count < 6; count++) await create()
      return await create()
    },
    run_event_budget_exceeded: async () => {
      const event = () => inRun('loops', 'run.waiting', { status: 'waiting', waiting_for: 'approval', summary: CANARY })
      for (let count = 0; count < 3; count++) await send(event())
      return await send(event())
    },
  }

  function endpoint(more: Record<string, unknown>): Record<string, unknown> {
    const url = withCanary('http://127.0.0.1:9')
    return { url, event_types: ['acme.nothing.happened'], description: CANARY, headers: { 'x-a': CANARY }, ...more }
  }

  function withCanary(origin: string): string {
    return `${origin}/${encodeURIComponent(CANARY)}?q=${encodeURIComponent(CANARY)}`
  }

  test.each(Object.entries(CASES))('%s', async (code, bring) => {
    const { status, headers, bytes } = await bring()
    expect([bytes.toString(), status]).toEqual([expect.any(String), PROBLEMS[code as ProblemCode].status])
    expect((JSON.parse(bytes.toString()) as Problem).code).toBe(code)
    seen.add(code as ProblemCode)
    const told = headers instanceof Headers ? [...headers] : headers
    expectNone(`the answer with ${code}`, Buffer.concat([bytes, Buffer.from(JSON.stringify(told))]), [...keys, CANARY])
    expect(bytes.toString()).not.toContain(encodeURIComponent(CANARY))
  })

  test('an error repeats the names of members, but not where they are credentials', async () => {
    const bodies = [
      filled(newType(), { [ADMIN_KEY]: 1 }),
      filled(newType(), { metadata: { [ADMIN_KEY]: 1 } }),
      JSON.stringify(filled(newType())).replace('"text"', `"${ADMIN_KEY}":1,"${ADMIN_KEY}"`),
    ]
    for (const body of bodies) {
      const { status, bytes } = await send(body)
      expect([400, 422], bytes.toString()).toContain(status)
      expectNone(bytes.toString(), bytes, keys)
    }
    const { bytes } = await ask('POST', '/v1/endpoints', { body: endpoint({ [ADMIN_KEY]: 1 }) })
    expectNone(bytes.toString(), bytes, keys)
    expectNone('a query', (await ask('GET', `/v1/events?${ADMIN_KEY}=${ADMIN_KEY}`)).bytes, keys)
  })

  test('keys that were used, right or wrong, are nowhere; signing secrets are in no answer but the first', async () => {
    const receiver = await server.receiver((index) => (index === 0 ? 500 : 204))
    const type = newType()
    const { id, secret = '' } = await createEndpoint(server, receiver.url, type, { headers: { 'x-token': CANARY } })
    const key = await newKey(['publish', 'read'])
    const event = await publish(server, filled(type), { key })
    await untilDelivery(server, event.event_id)
    await ask('GET', '/v1/events', { key: `rb_live_${randomBytes(30).toString('hex')}` })
    const answers = await Promise.all(
      ['/v1/api-keys', '/v1/endpoints', `/v1/endpoints/${id}`, `/v1/endpoints/${id}/secrets`, '/v1/audit-log'].map(
        async (path) => (await ask('GET', `${path}?`)).bytes,
      ),
    )
    expect(answers.map((bytes) => bytes.length > 50)).toEqual(answers.map(() => true))
    expectNone('an answer', Buffer.concat(answers), [...keys, secret])
    const log = Buffer.from(server.process.log())
    expect(log.toString()).toContain('delivery.attempted')
    expectNone('the log', log, [...keys, CANARY, secret])
    const names = await readdir(server.dataDir)
    const files = await Promise.all(names.map((name) => readFile(join(server.dataDir, name))))
    expect(Buffer.concat(files).includes(CANARY)).toBe(true)
    expectNone('the database', Buffer.concat(files), keys)
  })
})

describe('what goes wrong on our side says nothing of what was sent', () => {
  /** Its errors say what a database would: that, and not with which values. */
  class BrokenStore extends MemoryStore {
    broken: Error | null = null
    override acceptEvents(...args: Parameters<MemoryStore['acceptEvents']>): ReturnType<MemoryStore['acceptEvents']> {
      return this.broken === null ? super.acceptEvents(...args) : Promise.reject(this.broken)
    }
  }

  test.each<[ProblemCode, Error]>([
    ['internal', new TypeError('cannot read properties of undefined')],
    ['unavailable', new StoreUnavailable('unavailable', 'the database is locked')],
    ['storage_full', new StoreUnavailable('storage_full', 'the disk is full')],
  ])('%s', async (code, error) => {
    const store = new BrokenStore({ clock: () => performance.now() })
    const api = await createTestApi({ store })
    store.broken = error
    const event = sampleEvent({ data: { text: CANARY }, agent: { id: 'a', name: CANARY } })
    const { text, json, headers } = await api.post('/v1/events', { body: event, headers: { 'x-note': CANARY } })
    expect(json.code).toBe(code)
    seen.add(code)
    expect(api.logLines.join('')).toContain(error.message)
    const all = Buffer.from(text + JSON.stringify([...headers]) + api.logLines.join(''))
    expectNone('answer and log', all, [api.key, CANARY])
    expect(text).not.toContain(error.message)
  })

  test('request_timeout', async () => {
    const api = await createTestApi()
    const bounds = { ...HTTP_BOUNDS, headersMs: 50, requestMs: 50, checkEveryMs: 10 }
    const server = createHttpServer(api.api, bounds)
    const port = await listen(server, { host: '127.0.0.1', port: 0 })
    const head = `POST /v1/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${api.key}\r\nContent-Length: 900\r\n`
    const text = await openRaw(port, `${head}Content-Type: application/json\r\n\r\n{"data":"${CANARY}`).closed()
    server.close()
    expect(text).toContain('"code":"request_timeout"')
    seen.add('request_timeout')
    expectNone('the answer', Buffer.from(text), [api.key, CANARY])
  })
})

afterAll(() => {
  // A new code needs a new case here; nothing else would notice that there is none.
  expect([...seen].toSorted()).toEqual(Object.keys(PROBLEMS).toSorted())
})
