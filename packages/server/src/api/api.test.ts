import { PROBLEMS } from '@runbell/sdk/contract'
import { beforeEach, describe, expect, it } from 'vitest'
import { createTestApi, sampleEvent, type TestApi } from './testing/test-api.ts'
import { DIAGNOSES } from './views/diagnosis.ts'

let test: TestApi
beforeEach(async () => {
  test = await createTestApi()
})

/** The routes of interfaces.md that are built. */
const ROUTES = [
  'delete /v1/api-keys/{key_id}',
  'delete /v1/endpoints/{endpoint_id}',
  'delete /v1/endpoints/{endpoint_id}/secrets/{secret_id}',
  'get /.well-known/runbell-keys.json',
  'get /diagnoses/{name}',
  'get /livez',
  'get /openapi.json',
  'get /problems/{code}',
  'get /readyz',
  'get /schemas/{type}/{file}',
  'get /v1/api-keys',
  'get /v1/approvals',
  'get /v1/approvals/{approval_id}',
  'get /v1/approvals/{approval_id}/wait',
  'get /v1/audit-log',
  'get /v1/audit-log/export',
  'get /v1/dead-letters',
  'get /v1/dead-letters/export',
  'get /v1/deliveries',
  'get /v1/deliveries/{delivery_id}',
  'get /v1/deliveries/{delivery_id}/attempts',
  'get /v1/diagnostics',
  'get /v1/diagnostics/export',
  'get /v1/diagnostics/tail',
  'get /v1/endpoints',
  'get /v1/endpoints/{endpoint_id}',
  'get /v1/endpoints/{endpoint_id}/relay',
  'get /v1/endpoints/{endpoint_id}/secrets',
  'get /v1/endpoints/{endpoint_id}/stats',
  'get /v1/event-types',
  'get /v1/event-types/{type}',
  'get /v1/event-types/{type}/pinned',
  'get /v1/event-types/{type}/sample',
  'get /v1/events',
  'get /v1/events/export',
  'get /v1/events/{event_id}',
  'get /v1/events/{event_id}/body',
  'get /v1/events/{event_id}/deliveries',
  'get /v1/replays',
  'get /v1/replays/{replay_id}',
  'get /v1/runs',
  'get /v1/runs/{run_id}',
  'get /v1/runs/{run_id}/timeline',
  'get /v1/tenants',
  'get /v1/tenants/{tenant_id}',
  'patch /v1/endpoints/{endpoint_id}',
  'patch /v1/event-types/{type}',
  'post /v1/api-keys',
  'post /v1/approvals/{approval_id}/decision',
  'post /v1/dead-letters/{delivery_id}/discard',
  'post /v1/deliveries/{delivery_id}/cancel',
  'post /v1/deliveries/{delivery_id}/replay',
  'post /v1/diagnostics',
  'post /v1/diagnostics/erase',
  'post /v1/endpoints',
  'post /v1/endpoints/{endpoint_id}/disable',
  'post /v1/endpoints/{endpoint_id}/enable',
  'post /v1/endpoints/{endpoint_id}/filter/check',
  'post /v1/endpoints/{endpoint_id}/pause',
  'post /v1/endpoints/{endpoint_id}/pull',
  'post /v1/endpoints/{endpoint_id}/pull/commit',
  'post /v1/endpoints/{endpoint_id}/relay/{attempt_id}',
  'post /v1/endpoints/{endpoint_id}/resume',
  'post /v1/endpoints/{endpoint_id}/secrets/rotate',
  'post /v1/endpoints/{endpoint_id}/test',
  'post /v1/event-types',
  'post /v1/event-types/check',
  'post /v1/event-types/{type}/deprecate',
  'post /v1/event-types/{type}/versions',
  'post /v1/events',
  'post /v1/events/batch',
  'post /v1/events/{event_id}/erase',
  'post /v1/events/{event_id}/replay',
  'post /v1/master-key/rotate',
  'post /v1/otlp/v1/logs',
  'post /v1/otlp/v1/traces',
  'post /v1/replays',
  'post /v1/replays/{replay_id}/cancel',
  'post /v1/tenants',
]

interface Operation {
  operationId: string
  summary: string
  security?: unknown[]
  parameters?: { name: string; in: string }[]
  requestBody?: { content: Record<string, unknown> }
  responses: Record<string, { content?: Record<string, unknown> }>
}

const operations = async (): Promise<[string, Operation][]> => {
  const { json } = await test.get('/openapi.json', { key: null })
  const paths = Object.entries(json.paths as Record<string, Record<string, Operation>>)
  return paths.flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): [string, Operation] => [`${method} ${path}`, operation]),
  )
}

describe('the OpenAPI document', () => {
  it('is OpenAPI 3.1 of this version and has every route, and no other', async () => {
    const { json } = await test.get('/openapi.json', { key: null })
    expect(json).toMatchObject({ openapi: '3.1.0', info: { version: '0.0.0-test' } })
    expect((await operations()).map(([name]) => name).toSorted()).toEqual(ROUTES)
  })

  it('names each operation once, with its answers and parameters', async () => {
    const all = await operations()
    expect(new Set(all.map(([, { operationId }]) => operationId)).size).toBe(all.length)
    for (const [name, operation] of all) {
      expect([name, operation.summary.length > 5]).toEqual([name, true])
      expect([name, Object.keys(operation.responses).some((status) => status.startsWith('2'))]).toEqual([name, true])
      expect([name, operation.security !== undefined]).toEqual([name, name.includes(' /v1/')])
      const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path')
      expect(inPath.map((parameter) => `{${parameter.name}}`)).toEqual(name.match(/\{\w+\}/g) ?? [])
      expect([name, operation.responses['500']?.content]).toEqual([
        name,
        { 'application/problem+json': expect.anything() },
      ])
    }
    const batch = all.find(([name]) => name === 'post /v1/events/batch')?.[1]
    expect(Object.keys(batch?.requestBody?.content ?? {})).toEqual(['application/json', 'application/x-ndjson'])
  })

  it('is true: every route in it is served and every other method is refused with Allow', async () => {
    const all = await operations()
    const paths = new Set(all.map(([name]) => name.split(' ')[1] as string))
    for (const path of paths) {
      const url = path.replaceAll(/\{\w+\}/g, 'x')
      const allowed = all
        .map(([name]) => name.split(' '))
        .filter((parts) => parts[1] === path)
        .map(([method]) => method)
      for (const method of ['get', 'post', 'put', 'patch', 'delete']) {
        const { status, headers, json } = await test.ask(method.toUpperCase(), url, { key: null })
        if (allowed.includes(method)) {
          expect([path, method, [200, 401, 404].includes(status)]).toEqual([path, method, true])
        } else {
          expect([path, method, status, json.code]).toEqual([path, method, 405, 'method_not_allowed'])
          expect(headers.get('allow')?.toLowerCase().split(', ')).toEqual(expect.arrayContaining(allowed))
        }
      }
    }
  })
})

describe('every answer', () => {
  it.each(['/v1/events', '/v1/nowhere', '/livez', '/problems/internal', '/openapi.json', '/nothing'])(
    'of %s has an id and the headers that keep browsers and caches out',
    async (path) => {
      const { headers } = await test.get(path)
      expect(headers.get('x-request-id')).toMatch(/^req_/)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('cache-control')).toBe('no-store')
    },
  )

  it('that is an error is a problem whose page exists', async () => {
    const { status, headers, json } = await test.get('/v1/nowhere')
    expect(status).toBe(404)
    expect(headers.get('content-type')).toBe('application/problem+json')
    expect(json).toEqual({
      type: '/problems/not_found',
      title: PROBLEMS.not_found.title,
      status: 404,
      detail: expect.any(String),
      code: 'not_found',
      errors: [],
      retryable: false,
      suggested_fix: expect.any(String),
      request_id: headers.get('x-request-id'),
    })
  })

  it('has an id of its own', async () => {
    const ids = await Promise.all(
      Array.from({ length: 20 }, async () => (await test.get('/livez')).headers.get('x-request-id')),
    )
    expect(new Set(ids).size).toBe(20)
  })

  it('to HEAD has the headers of GET and no body', async () => {
    const { status, headers, text } = await test.ask('HEAD', '/v1/events')
    expect([status, headers.get('content-type'), text]).toEqual([200, 'application/json', ''])
  })
})

describe('pages', () => {
  it.each([
    ...Object.keys(PROBLEMS).map((code) => `/problems/${code}`),
    ...Object.keys(DIAGNOSES).map((name) => `/diagnoses/${name}`),
  ])('%s is there for everybody', async (path) => {
    const { status, headers, text } = await test.get(path, { key: null })
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(text).toContain('<h1>')
  })

  it.each(['/problems/teapot', '/problems/constructor', '/problems/<script>', '/diagnoses/__proto__'])(
    '%s is not there',
    async (path) => {
      const { status, text } = await test.get(path, { key: null })
      expect(status).toBe(404)
      expect(text).not.toContain('<script>')
    },
  )
})

describe('health', () => {
  it('is alive whatever happens, and ready unless there is a reason', async () => {
    expect((await test.get('/readyz', { key: null })).json).toEqual({
      status: 'ok',
      storage: 'ok',
      version: '0.0.0-test',
    })
    test.unready = 'the database cannot be reached'
    const answer = await test.get('/readyz', { key: null })
    expect(answer.json).toMatchObject({ status: 503, code: 'unavailable', detail: expect.stringContaining('database') })
    expect((await test.get('/livez', { key: null })).status).toBe(200)
  })
})

it('a bug in a route is a 500 that tells nothing, and a line in the log', async () => {
  test.store.listEvents = () => Promise.reject(new Error('column "secret_place" missing'))
  const answer = await test.get('/v1/events')
  expect(answer.json).toMatchObject({ status: 500, code: 'internal' })
  expect(answer.text).not.toContain('secret_place')
  const line = JSON.parse(test.logLines.at(-1) as string)
  expect(line).toMatchObject({
    request_id: answer.json.request_id,
    err: { message: expect.stringContaining('secret_place') },
  })
})

it('a key never reaches the log', async () => {
  test.store.listEvents = () => Promise.reject(new Error('x'))
  await test.get('/v1/events')
  await test.post('/v1/events', { body: sampleEvent() })
  expect(test.logLines.join('')).not.toContain(test.key.slice(26))
})
