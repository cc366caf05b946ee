import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { NOW, SECRET, signedEvent } from '../../test/signed-request.ts'
import { createReceiver, type LambdaEvent, type Receiver } from './index.ts'

const EVENT = signedEvent('agent.run.started', { data: { text: '日本語 🚀' } })
const HEADERS = { ...EVENT.headers, 'content-type': 'application/json' }
const TAKEN = { event_id: 'evt_test_receive_01', handled: true, duplicate: false }

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

function receiverWith(handler: (event: { data: unknown }) => unknown = () => undefined): Receiver {
  return createReceiver({ secrets: SECRET, now: () => NOW, onError: () => undefined }).on('*', handler)
}

async function postTo(listener: RequestListener, body: string = EVENT.body) {
  const server = createServer(listener)
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`
  const response = await fetch(url, { method: 'POST', headers: HEADERS, body })
  return { status: response.status, body: (await response.json()) as Record<string, string> }
}

describe('Express 5', () => {
  it('hands on the raw request', async () => {
    const handler = vi.fn()
    const app = express()
    app.post('/hooks', receiverWith(handler).node)
    app.use(express.json())
    expect(await postTo(app)).toEqual({ status: 200, body: TAKEN })
    expect(handler.mock.calls[0]?.[0]).toMatchObject({ data: { text: '日本語 🚀' } })
  })

  it('after express.json() is explained by name, with the fix', async () => {
    const app = express()
    app.use(express.json())
    app.post('/hooks', receiverWith().node)
    const { status, body } = await postTo(app)
    expect([status, body['code']]).toEqual([500, 'body_already_read'])
    expect(body['fix']).toContain('before app.use(express.json())')
  })

  it('after express.raw() works, and is not misled by express.text()', async () => {
    const raw = express()
    raw.post('/hooks', express.raw({ type: '*/*' }), receiverWith().node)
    expect(await postTo(raw)).toMatchObject({ status: 200 })
    const text = express()
    text.post('/hooks', express.text({ type: '*/*' }), receiverWith().node)
    expect(await postTo(text)).toMatchObject({ status: 200 })
  })
})

describe('Fastify 5', () => {
  it('keeps the raw bytes in the plugin, and the rest of the application its own parsers', async () => {
    const app = fastify()
    await app.register(receiverWith().fastify, { path: '/hooks' })
    app.post('/other', (request) => Promise.resolve({ got: request.body }))
    const answer = await app.inject({ method: 'POST', url: '/hooks', headers: HEADERS, payload: EVENT.body })
    expect([answer.statusCode, answer.json()]).toEqual([200, TAKEN])
    const changed = await app.inject({ method: 'POST', url: '/hooks', headers: HEADERS, payload: `${EVENT.body}\n` })
    expect([changed.statusCode, changed.json<{ code: string }>().code]).toEqual([401, 'wrong_signature'])
    const empty = await app.inject({ method: 'POST', url: '/hooks' })
    expect(empty.json()).toMatchObject({ code: 'missing_header' })
    const other = await app.inject({ method: 'POST', url: '/other', payload: { a: 1 } })
    expect(other.json()).toEqual({ got: { a: 1 } })
    await app.close()
  })

  it('in a route of its own is explained', async () => {
    const app = fastify()
    app.post('/hooks', async (request, reply) => {
      await receiverWith().node(Object.assign(request.raw, { body: request.body }), reply.raw)
      return reply.hijack()
    })
    const answer = await app.inject({ method: 'POST', url: '/hooks', headers: HEADERS, payload: EVENT.body })
    expect(answer.json()).toMatchObject({ code: 'body_already_read' })
    await app.close()
  })
})

describe('fetch handlers', () => {
  const request = () => new Request('https://example.com/hooks', { method: 'POST', headers: HEADERS, body: EVENT.body })

  it('Hono hands on c.req.raw, and says so where c.req.json() was first', async () => {
    const app = new Hono()
    const receiver = receiverWith()
    app.post('/hooks', (c) => receiver.fetch(c.req.raw))
    app.post('/late', async (c) => {
      await c.req.json()
      return receiver.fetch(c.req.raw)
    })
    const response = await app.request(request())
    expect([response.status, await response.json()]).toEqual([200, TAKEN])
    const late = await app.request('/late', { method: 'POST', headers: HEADERS, body: EVENT.body })
    expect(await late.json()).toMatchObject({ code: 'body_already_read', fix: expect.stringContaining('c.req.raw') })
  })

  it('a Next route is the handler itself', async () => {
    const receiver = receiverWith()
    const POST = (incoming: Request) => receiver.fetch(incoming)
    expect(await (await POST(request())).json()).toEqual(TAKEN)
  })

  it('a Worker waits for what goes on after the answer, and hears of its failure', async () => {
    const errors: unknown[] = []
    const receiver = createReceiver({ secrets: SECRET, now: () => NOW, onError: (error) => void errors.push(error) })
    receiver.on('*', (_event, context) => context.waitUntil(Promise.reject(new Error('after the answer'))))
    const waited: Promise<unknown>[] = []
    const worker = {
      pending: waited,
      waitUntil(work: Promise<unknown>) {
        // Platforms throw where it is called without its object.
        this.pending.push(work)
      },
    }
    const response = await receiver.fetch(request(), {}, worker)
    expect(response.status).toBe(200)
    expect(await Promise.all(waited)).toEqual([undefined])
    expect(errors).toEqual([new Error('after the answer')])
  })
})

describe('Lambda', () => {
  const base64 = Buffer.from(EVENT.body).toString('base64')
  const v1: LambdaEvent = { httpMethod: 'POST', headers: HEADERS, body: EVENT.body, isBase64Encoded: false }
  const v2: LambdaEvent = {
    requestContext: { http: { method: 'POST' } },
    headers: HEADERS,
    body: base64,
    isBase64Encoded: true,
  }
  const multi = Object.fromEntries(Object.entries(HEADERS).map(([name, value]) => [name, [value]]))

  it.each([
    ['API Gateway, version 1', v1],
    [
      'API Gateway, version 1, with all values',
      { ...v1, multiValueHeaders: multi, body: base64, isBase64Encoded: true },
    ],
    ['API Gateway, version 2, and function URLs', v2],
  ])('%s', async (_name, event) => {
    const { statusCode, headers, body, isBase64Encoded } = await receiverWith().lambda(event)
    expect([statusCode, JSON.parse(body), isBase64Encoded]).toEqual([200, TAKEN, false])
    expect(headers['content-type']).toBe('application/json')
  })

  it('explains what is no raw request', async () => {
    const { lambda } = receiverWith()
    const parsed = await lambda({ ...v1, body: JSON.parse(EVENT.body) as unknown })
    expect(JSON.parse(parsed.body)).toMatchObject({ code: 'body_already_read', fix: expect.stringContaining('proxy') })
    expect((await lambda({ ...v2, body: '%' })).statusCode).toBe(500)
    expect((await lambda({ ...v1, httpMethod: 'GET' })).statusCode).toBe(405)
    expect((await lambda({ ...v1, body: null })).statusCode).toBe(401)
    const twice = { ...multi, 'webhook-id': ['a', 'b'] }
    expect(JSON.parse((await lambda({ ...v1, multiValueHeaders: twice })).body)).toMatchObject({
      code: 'repeated_header',
    })
  })
})
