import type { TLSSocket } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import type { AttemptOutcome, AttemptRequest } from '../core/attempt-outcome.ts'
import { answer, hang, reset, write, type Behaviour } from '../../test/hostile-receivers/behaviours.ts'
import {
  startRawReceiver,
  type RawReceiver,
  type RawReceiverOptions,
} from '../../test/hostile-receivers/raw-receiver.ts'
import { SELF_SIGNED_CERTIFICATE } from '../../test/hostile-receivers/self-signed.ts'
import { createEgressPolicy } from './egress-policy.ts'
import type { Lookup } from './name-resolver.ts'
import { createTransport, type TransportOptions } from './transport.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function receiver(onRequest: Behaviour | RawReceiverOptions): Promise<RawReceiver> {
  const started = await startRawReceiver(typeof onRequest === 'function' ? { onRequest } : onRequest)
  ends.push(() => started.close())
  return started
}

function transport(options: Partial<TransportOptions> = {}) {
  const made = createTransport({ egress: createEgressPolicy({ devLoopback: true }), ...options })
  ends.push(() => made.close())
  return made
}

function request(url: string, more: Partial<AttemptRequest> = {}): AttemptRequest {
  const headers: AttemptRequest['headers'] = [['content-type', 'application/json']]
  return { url, headers, body: Buffer.from('{"a":1}'), timeoutMs: 2000, ...more }
}

const loopback: Lookup = (_hostname, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }])

function text(outcome: AttemptOutcome): string {
  return outcome.kind === 'response' ? Buffer.from(outcome.excerpt).toString() : JSON.stringify(outcome)
}

test('a 2xx is a response with status, headers, body and phases', async () => {
  const { url, requests } = await receiver(answer(202, 'thanks', ['X-Two: a', 'x-two: b', '__proto__: x']))
  const outcome = await transport().send(request(`${url}?q=%20x`, { headers: [['webhook-id', 'msg_1']] }))
  expect(outcome).toMatchObject({
    kind: 'response',
    status: 202,
    headers: { 'content-length': '6', 'x-two': 'a, b' },
    truncated: false,
    phases: { dns: null, connect: expect.any(Number), tls: null, wait: expect.any(Number) },
  })
  expect(text(outcome)).toBe('thanks')
  expect(Object.keys((outcome as { headers: object }).headers)).not.toContain('__proto__')
  const [line, ...rest] = requests[0]?.split('\r\n') ?? []
  expect(line).toBe('POST /hook?q=%20x HTTP/1.1')
  expect(rest).toEqual([
    expect.stringMatching(/^host: 127\.0\.0\.1:\d+$/),
    'connection: keep-alive',
    'webhook-id: msg_1',
    'accept-encoding: identity',
    'content-length: 7',
    '',
    '{"a":1}',
  ])
})

test('an accept-encoding of the caller is sent as it is, once, and nothing is decompressed', async () => {
  const { url, requests } = await receiver(answer(200, 'not gzip at all', ['content-encoding: gzip']))
  const outcome = await transport().send(request(url, { headers: [['Accept-Encoding', 'gzip']] }))
  expect(text(outcome)).toBe('not gzip at all')
  expect(requests[0]?.match(/accept-encoding: .*/gi)).toEqual(['Accept-Encoding: gzip'])
})

test('a 500 is a response', async () => {
  const { url } = await receiver(answer(500, 'oops'))
  expect(await transport().send(request(url))).toMatchObject({ kind: 'response', status: 500, truncated: false })
})

test('a redirect is a response and its target sees nothing', async () => {
  const target = await receiver(answer(200))
  const { url } = await receiver(answer(307, '', [`location: ${target.url}`]))
  const outcome = await transport().send(request(url))
  expect(outcome).toMatchObject({ kind: 'response', status: 307, headers: { location: target.url } })
  expect(target.connections).toBe(0)
})

test('an empty body is sent with its length', async () => {
  const { url, requests } = await receiver(answer(204))
  const outcome = await transport().send(request(url, { body: new Uint8Array(0) }))
  expect(outcome).toMatchObject({ kind: 'response', status: 204 })
  expect(requests[0]).toContain('content-length: 0')
})

test('200 sends one after the other use one connection', async () => {
  const started = await receiver(answer(200, 'ok'))
  const { send } = transport()
  const first = await send(request(started.url))
  for (let i = 1; i < 199; i++) await send(request(started.url))
  const last = await send(request(started.url))
  expect(started.requests).toHaveLength(200)
  expect(started.connections).toBe(1)
  expect(first).toMatchObject({ phases: { connect: expect.any(Number) } })
  expect(last).toMatchObject({ phases: { dns: null, connect: null, tls: null, wait: expect.any(Number) } })
})

test('64 sends at once use a connection each, and the next 64 the same ones', async () => {
  let waiting: (() => void)[] = []
  const started = await receiver((socket) => {
    waiting.push(() => answer(200)(socket))
    if (waiting.length < 64) return
    for (const release of waiting) release()
    waiting = []
  })
  const { send } = transport()
  for (let round = 0; round < 2; round++) {
    const outcomes = await Promise.all(Array.from({ length: 64 }, () => send(request(started.url))))
    expect(outcomes.every((outcome) => outcome.kind === 'response')).toBe(true)
  }
  expect(started.connections).toBe(64)
})

test('no more idle connections are kept than allowed', async () => {
  const receivers = await Promise.all(Array.from({ length: 6 }, () => receiver(answer(200))))
  const { send } = transport({ maxIdleConnections: 2 })
  for (const { url } of receivers) await send(request(url))
  await Promise.all(receivers.slice(0, 4).map((each) => each.allGone()))
  for (const { url } of receivers.slice(4)) await send(request(url))
  expect(receivers.map((each) => each.connections)).toEqual([1, 1, 1, 1, 1, 1])
})

test('a connection the receiver closes after its answer is not used again', async () => {
  const started = await receiver(write('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok'))
  const { send } = transport()
  for (let i = 0; i < 3; i++) expect(await send(request(started.url))).toMatchObject({ kind: 'response', status: 200 })
  expect(started.connections).toBe(3)
})

test('where room is short, an origin with many connections does not cost others their only one', async () => {
  const [busy, ...others] = await Promise.all([1, 2, 3].map(() => receiver(answer(200))))
  const { send } = transport({ maxIdleConnections: 4 })
  for (const { url } of others) await send(request(url))
  await Promise.all([1, 2, 3, 4, 5].map(() => send(request(busy?.url ?? ''))))
  for (const { url } of others) await send(request(url))
  expect(others.map(({ connections }) => connections)).toEqual([1, 1])
})

test('an idle connection closed by the receiver costs no attempt: the next send connects anew', async () => {
  const started = await receiver((socket) => {
    answer(200)(socket)
    setImmediate(() => socket.end())
  })
  const { send } = transport()
  for (let i = 0; i < 20; i++) {
    expect(await send(request(started.url))).toMatchObject({ kind: 'response', status: 200 })
    await started.allGone()
  }
  expect(started.requests).toHaveLength(20)
})

test('a kept-alive connection reset when the request is out is a failure, not a second request', async () => {
  const started = await receiver({
    onRequest: (socket, count) => (count === 1 ? answer(200)(socket) : reset(socket)),
  })
  const { send } = transport()
  await send(request(started.url))
  const outcome = await send(request(started.url))
  expect(outcome).toMatchObject({ kind: 'failure', outcome: 'protocol_error' })
  expect((outcome as { detail: string }).detail).toContain('kept-alive')
  expect(started.requests).toHaveLength(2)
  expect(await send(request(started.url))).toMatchObject({ kind: 'response', status: 200 })
})

test('over TLS the name is checked, the phases are timed and the connection is kept', async () => {
  const started = await receiver({ tls: true, onRequest: answer(200, 'ok') })
  const { send } = transport({ lookup: loopback, ca: SELF_SIGNED_CERTIFICATE })
  const first = await send(request(started.url))
  expect(first).toMatchObject({
    kind: 'response',
    phases: { dns: expect.any(Number), connect: expect.any(Number), tls: expect.any(Number) },
  })
  expect(await send(request(started.url))).toMatchObject({ kind: 'response', phases: { tls: null } })
  expect(started.connections).toBe(1)
  const other = await send(request(started.url.replace('receiver.test', 'other.test')))
  expect(other).toMatchObject({ kind: 'failure', outcome: 'tls_failed' })
  expect(started.requests).toHaveLength(2)
})

test('a second TLS connection to a name resumes the session of the first, one to another name does not', async () => {
  const resumed: boolean[] = []
  const started = await receiver({
    tls: true,
    onRequest: (socket) => {
      resumed.push((socket as TLSSocket).isSessionReused())
      socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n')
    },
  })
  const { send } = transport({ lookup: loopback, ca: SELF_SIGNED_CERTIFICATE })
  await send(request(started.url))
  await send(request(started.url))
  await send(request(started.url.replace('receiver.test', 'other.receiver.test')))
  expect(resumed).toEqual([false, true, false])
})

test.each<[string, Partial<AttemptRequest>, string]>([
  ['a line break in a header value', { headers: [['x-a', 'b\r\nx-c: d']] }, 'x-a'],
  ['a header name with a space', { headers: [['x a', 'b']] }, 'header'],
  ['a header undici refuses', { headers: [['transfer-encoding', 'chunked']] }, 'transfer-encoding'],
  ['a wrong content-length', { headers: [['content-length', '3']] }, 'length'],
  ['headers that are none', { headers: null as never }, 'invalid request'],
  ['a header value that is no text', { headers: [['x-a', Symbol('x') as never]] }, ''],
  ['a body that is none', { body: 5 as never }, 'body'],
  ['a URL that is none', { url: 'not a url' }, 'URL'],
])('%s is a protocol error, and nothing is thrown or sent', async (_name, more, detail) => {
  const started = await receiver(answer(200))
  const { send } = transport()
  const outcome = await send(request(started.url, more))
  expect(outcome).toMatchObject({ kind: 'failure', outcome: 'protocol_error' })
  expect((outcome as { detail: string }).detail).toContain(detail)
  expect(started.requests).toHaveLength(0)
  expect(await send(request(started.url))).toMatchObject({ kind: 'response' })
})

test.each([0, -5, Number.NaN])('a time-out of %s ends at once instead of never', async (timeoutMs) => {
  const { url } = await receiver(hang)
  expect(await transport().send(request(url, { timeoutMs }))).toMatchObject({ kind: 'failure', outcome: 'timeout' })
})

test('close ends idle connections, lets the rest finish and sends nothing more', async () => {
  const idle = await receiver(answer(200))
  let arrive = (): void => {}
  let release = (): void => {}
  const arrived = new Promise<void>((resolve) => (arrive = resolve))
  const slow = await receiver((socket) => {
    release = () => answer(200, 'late')(socket)
    arrive()
  })
  const { send, close } = transport()
  await send(request(idle.url))
  const inFlight = send(request(slow.url))
  await arrived
  await close()
  await idle.allGone()
  release()
  expect(text(await inFlight)).toBe('late')
  await slow.allGone()
  expect(await send(request(idle.url))).toMatchObject({ kind: 'not_sent', fault: 'stopping' })
  expect(idle.connections).toBe(1)
})
