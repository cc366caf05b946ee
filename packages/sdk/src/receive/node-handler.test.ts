import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { NOW, SECRET, signedEvent } from '../../test/signed-request.ts'
import { createReceiver, type Receiver } from './index.ts'

const EVENT = signedEvent('agent.run.started')
const servers: Server[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

type Listener = (request: IncomingMessage, response: ServerResponse) => Promise<void>

async function listen(listener: Listener): Promise<string> {
  const server = createServer((request, response) => void listener(request, response))
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function receiverWith(handler: () => unknown, maxBodyBytes = 1024 * 1024): Receiver {
  return createReceiver({ secrets: SECRET, now: () => NOW, onError: () => undefined, maxBodyBytes }).on('*', handler)
}

async function post(url: string, changes: Partial<RequestInit> = {}) {
  const response = await fetch(url, { method: 'POST', ...EVENT, ...changes })
  return { status: response.status, headers: response.headers, body: (await response.json()) as unknown }
}

/** What `express.json()` does. */
async function parseJson(request: IncomingMessage & { body?: unknown }): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const bytes = Buffer.concat(chunks)
  request.body = JSON.parse(bytes.toString())
  return bytes
}

describe('the node handler', () => {
  it('is a request listener', async () => {
    const handler = vi.fn()
    const url = await listen(receiverWith(handler).node)
    const answer = await post(url)
    expect(answer).toMatchObject({ status: 200, body: { handled: true, duplicate: false } })
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(await post(url)).toMatchObject({ status: 200, body: { duplicate: true } })
    expect(await post(url, { body: `${EVENT.body} ` })).toMatchObject({
      status: 401,
      body: { code: 'wrong_signature' },
    })
    expect(await post(url, { method: 'PUT' })).toMatchObject({ status: 405 })
    expect(handler).toHaveBeenCalledOnce()
  })

  it('reads a body that comes in pieces, also as text', async () => {
    const url = await listen((request, response) => {
      if (request.url === '/text') request.setEncoding('utf8')
      return receiverWith(() => undefined).node(request, response)
    })
    for (const path of ['/', '/text']) {
      const event = signedEvent('agent.run.started', { data: { text: '日本語 🚀' } })
      const request = httpRequest(url + path, { method: 'POST', headers: event.headers })
      // One byte at a time would split every character; each write waits for the one before.
      for (const byte of Buffer.from(event.body))
        await new Promise((resolve) => request.write(Buffer.of(byte), resolve))
      request.end()
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      expect(response.statusCode).toBe(200)
      response.resume()
    }
  })

  it('answers 413 above the limit, announced or not, and the server lives on', async () => {
    const url = await listen(receiverWith(() => undefined, EVENT.body.length).node)
    const long = 'x'.repeat(EVENT.body.length + 1)
    expect(await post(url, { body: long })).toMatchObject({ status: 413, body: { code: 'body_too_large' } })
    const stream = { body: new Blob([long]).stream(), duplex: 'half' } as RequestInit
    expect(await post(url, stream)).toMatchObject({ status: 413, body: { code: 'body_too_large' } })
    expect(await post(url)).toMatchObject({ status: 200 })
  })

  it('explains the body-parser trap', async () => {
    const handler = vi.fn()
    const receiver = receiverWith(handler)
    const url = await listen(async (request, response) => {
      await parseJson(request)
      await receiver.node(request, response)
    })
    const answer = await post(url)
    expect(answer).toMatchObject({ status: 500, body: { code: 'body_already_read' } })
    expect(JSON.stringify(answer.body)).toContain('express.json()')
    expect(handler).not.toHaveBeenCalled()
  })

  it.each(['body', 'rawBody'] as const)('takes raw bytes that were kept in request.%s', async (place) => {
    const receiver = receiverWith(() => undefined)
    const url = await listen(async (request, response) => {
      const bytes = await parseJson(request)
      await receiver.node(Object.assign(request, { [place]: bytes }), response)
    })
    expect(await post(url)).toMatchObject({ status: 200 })
    expect(await post(url, { body: EVENT.body.replace('{}', '[]') })).toMatchObject({ status: 401 })
  })

  it('is not misled by the empty body that Express 4 leaves where no parser applied', async () => {
    const receiver = receiverWith(() => undefined)
    const url = await listen((request, response) => receiver.node(Object.assign(request, { body: {} }), response))
    expect(await post(url)).toMatchObject({ status: 200 })
  })

  it('ends without handling anything where the sender goes away', async () => {
    const handler = vi.fn()
    const receiver = receiverWith(handler)
    let ended: Promise<void> | undefined
    const url = await listen((request, response) => (ended = receiver.node(request, response)))
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 500\r\n\r\n{"event_id"`)
    await vi.waitUntil(() => ended !== undefined)
    socket.destroy()
    await ended
    expect(handler).not.toHaveBeenCalled()
  })

  it('ends also where the sender had gone away before it was called', async () => {
    const receiver = receiverWith(() => undefined)
    let ended: Promise<void> | undefined
    const url = await listen(async (request, response) => {
      await new Promise((resolve) => request.once('error', () => undefined).once('close', resolve))
      await (ended = receiver.node(request, response))
    })
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 500\r\n\r\n`)
    await new Promise((resolve) => socket.write('{', resolve))
    socket.destroy()
    await vi.waitUntil(() => ended !== undefined)
    await ended
  })
})
