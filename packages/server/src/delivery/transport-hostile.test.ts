import { Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { AttemptRequest } from '../core/attempt-outcome.ts'
import * as behaviours from '../../test/hostile-receivers/behaviours.ts'
import { startFullBacklog } from '../../test/hostile-receivers/full-backlog.ts'
import {
  startRawReceiver,
  type RawReceiver,
  type RawReceiverOptions,
} from '../../test/hostile-receivers/raw-receiver.ts'
import { createEgressPolicy } from './egress-policy.ts'
import { createTransport, type TransportOptions } from './transport.ts'
import { MAX_EXCERPT_BYTES } from './transport-attempt.ts'

const { answer, drip, flood, hang, write } = behaviours

/** How long a test waits for a deadline; a deadline that starts again with each chunk would never come. */
const TIMEOUT_MS = 200
/** How late one may be noticed: 10 ms by design, the rest is for a busy machine. */
const LATE_MS = 1500

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function receiver(options: RawReceiverOptions): Promise<RawReceiver> {
  const started = await startRawReceiver(options)
  ends.push(() => started.close())
  return started
}

function transport(options: Partial<TransportOptions> = {}) {
  const made = createTransport({ egress: createEgressPolicy({ devLoopback: true }), ...options })
  ends.push(() => made.close())
  return made
}

function request(url: string, timeoutMs = TIMEOUT_MS): AttemptRequest {
  return { url, headers: [], body: Buffer.from('{}'), timeoutMs }
}

function expectOnTime(durationMs: number): void {
  expect(durationMs).toBeGreaterThanOrEqual(TIMEOUT_MS)
  expect(durationMs).toBeLessThan(TIMEOUT_MS + LATE_MS)
}

describe('before the headers', () => {
  test.each<[string, behaviours.Behaviour]>([
    ['a receiver that hangs', hang],
    ['headers a byte at a time', behaviours.dripHeaders],
    ['half a status line', write('HTTP/1.1 2')],
    ['a 103 now and then', drip('', 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n', 20)],
    ['a 102 and silence', write('HTTP/1.1 102 Processing\r\n\r\n')],
  ])('%s is a timeout at the deadline, and its connection is destroyed', async (_name, onRequest) => {
    const started = await receiver({ onRequest })
    const outcome = await transport().send(request(started.url))
    expect(outcome).toMatchObject({ kind: 'failure', outcome: 'timeout', phases: { wait: expect.any(Number) } })
    expectOnTime((outcome as { durationMs: number }).durationMs)
    await started.allGone()
    expect(started.requests).toHaveLength(1)
  })

  test.each<[string, behaviours.Behaviour]>([
    ['garbage', write('SSH-2.0-OpenSSH_9.2\r\n\r\n')],
    ['a bad status line', write('HTTP/1.1 abc OK\r\n\r\n')],
    ['HTTP/2', write('\x00\x00\x12\x04\x00\x00\x00\x00\x00')],
    ['a line break in a header name', write('HTTP/1.1 200 OK\r\na\nb: c\r\n\r\n')],
    ['two different lengths', write('HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx')],
    ['headers over 16 KiB', behaviours.hugeHeaders(17_000)],
    ['headers of 5 MB', behaviours.hugeHeaders(5_000_000)],
    ['a reset', behaviours.reset],
    ['an end', (socket) => void socket.end()],
    ['an end in the headers', (socket) => void socket.end('HTTP/1.1 200 OK\r\nx: y')],
    ['a 100 that was not asked for', write('HTTP/1.1 100 Continue\r\n\r\n')],
    ['a 101', write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n')],
    ['a 101 without upgrade headers', write('HTTP/1.1 101 Switching Protocols\r\n\r\n')],
    ['103s as fast as they are taken', flood('', Buffer.from('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100)))],
  ])('%s is a protocol error at once, and its connection is destroyed', async (_name, onRequest) => {
    const started = await receiver({ onRequest })
    const outcome = await transport().send(request(started.url, 10_000))
    expect(outcome).toMatchObject({ kind: 'failure', outcome: 'protocol_error', detail: expect.stringMatching(/\w/) })
    await started.allGone()
    expect(started.requests).toHaveLength(1)
  })

  test('headers just under 16 KiB are accepted', async () => {
    const started = await receiver({ onRequest: behaviours.hugeHeaders(15_000, 204) })
    expect(await transport().send(request(started.url))).toMatchObject({ kind: 'response', status: 204 })
  })

  test('a few 1xx and then an answer are the answer', async () => {
    const interim = 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(3)
    const started = await receiver({ onRequest: write(`${interim}HTTP/1.1 204 No Content\r\n\r\n`) })
    expect(await transport().send(request(started.url))).toMatchObject({ kind: 'response', status: 204 })
  })
})

describe('after the headers the outcome is a response', () => {
  test.each<[string, behaviours.Behaviour, number]>([
    ['a body a byte at a time', behaviours.dripBody, 200],
    ['a body that stops', write('HTTP/1.1 500 Oops\r\ncontent-length: 10\r\n\r\nhalf'), 500],
  ])('%s is cut off at the deadline', async (_name, onRequest, status) => {
    const started = await receiver({ onRequest })
    const outcome = await transport().send(request(started.url))
    expect(outcome).toMatchObject({ kind: 'response', status, truncated: true })
    expectOnTime((outcome as { durationMs: number }).durationMs)
    expect((outcome as { excerpt: Uint8Array }).excerpt.length).toBeGreaterThan(0)
    await started.allGone()
  })

  test.each<[string, behaviours.Behaviour, number, string]>([
    ['a reset', behaviours.resetAfterHeaders, 202, 'partial'],
    ['an early end', (s) => void s.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf'), 200, 'half'],
    ['a bad chunk', write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n'), 200, 'ok'],
    ['a bad first chunk', write('HTTP/1.1 201 Made\r\ntransfer-encoding: chunked\r\n\r\n!\r\n'), 201, ''],
  ])('%s leaves the status and what was read', async (_name, onRequest, status, body) => {
    const started = await receiver({ onRequest })
    const outcome = await transport().send(request(started.url, 10_000))
    expect(outcome).toMatchObject({ kind: 'response', status, truncated: true })
    expect(Buffer.from((outcome as { excerpt: Uint8Array }).excerpt).toString()).toBe(body)
    await started.allGone()
  })

  test('a body that ends with its connection is complete', async () => {
    const started = await receiver({ onRequest: (socket) => void socket.end('HTTP/1.0 200 OK\r\n\r\nall') })
    expect(await transport().send(request(started.url))).toMatchObject({ status: 200, truncated: false })
  })

  test.each<[string, behaviours.Behaviour]>([
    ['a body of 5 GB', behaviours.hugeBody],
    ['chunks without end', behaviours.endlessChunks],
    ['chunks of one byte without end', behaviours.endlessTinyChunks],
  ])('%s is read no further than needed', async (_name, onRequest) => {
    const started = await receiver({ onRequest })
    const outcome = await transport().send(request(started.url, 10_000))
    expect(outcome).toMatchObject({ kind: 'response', status: 200, truncated: true })
    expect((outcome as { excerpt: Uint8Array }).excerpt).toHaveLength(MAX_EXCERPT_BYTES)
    await started.allGone()
    // The kernel's buffers on both sides take some megabytes; the body would be thousands.
    expect(started.bytesWritten()).toBeLessThan(32_000_000)
  })

  test('a body of 40 KB is cut to 16 KiB and read to its end, so that its connection is used again', async () => {
    const started = await receiver({ onRequest: answer(200, 'y'.repeat(40_000)) })
    const { send } = transport()
    for (let i = 0; i < 3; i++) {
      const outcome = await send(request(started.url, 10_000))
      expect(outcome).toMatchObject({ kind: 'response', truncated: true })
      expect((outcome as { excerpt: Uint8Array }).excerpt).toHaveLength(MAX_EXCERPT_BYTES)
    }
    expect(started.connections).toBe(1)
  })

  test('a body of exactly 16 KiB is complete', async () => {
    const started = await receiver({ onRequest: answer(200, 'y'.repeat(MAX_EXCERPT_BYTES)) })
    expect(await transport().send(request(started.url, 10_000))).toMatchObject({ truncated: false })
  })
})

describe('before a connection', () => {
  test('a refused connection is connect_failed and names the address for the operator', async () => {
    const started = await receiver({})
    await started.close()
    ends.pop()
    const outcome = await transport().send(request(started.url))
    expect(outcome).toMatchObject({ kind: 'failure', outcome: 'connect_failed', phases: { wait: null } })
    expect((outcome as { detail: string }).detail).toContain(`127.0.0.1 port ${started.port}`)
  })

  test('a self-signed certificate is tls_failed and no request is sent', async () => {
    const started = await receiver({ tls: true, onRequest: answer(200) })
    const outcome = await transport().send(request(`https://127.0.0.1:${started.port}/`))
    expect(outcome).toMatchObject({ kind: 'failure', outcome: 'tls_failed', phases: { tls: expect.any(Number) } })
    expect(started.requests).toHaveLength(0)
    await started.allGone()
  })

  test.each<[string, RawReceiverOptions]>([
    ['plain HTTP on the TLS port', { onConnection: (socket) => void socket.write('HTTP/1.1 400 Bad\r\n\r\n') }],
    ['a reset in the handshake', { onConnection: (socket) => socket.once('data', () => socket.resetAndDestroy()) }],
    ['an end in the handshake', { onConnection: (socket) => void socket.end() }],
  ])('%s is tls_failed', async (_name, options) => {
    const started = await receiver(options)
    const outcome = await transport().send(request(`https://127.0.0.1:${started.port}/`, 10_000))
    expect(outcome).toMatchObject({ kind: 'failure', outcome: 'tls_failed' })
    await started.allGone()
  })

  test('a TLS handshake that hangs ends at the deadline, and its socket is destroyed', async () => {
    const started = await receiver({})
    const outcome = await transport().send(request(`https://127.0.0.1:${started.port}/`))
    expect(outcome).toMatchObject({ kind: 'failure', outcome: 'timeout', detail: expect.stringContaining('TLS') })
    expectOnTime((outcome as { durationMs: number }).durationMs)
    await started.allGone()
  })

  test('a lookup that never answers ends at the deadline', async () => {
    const outcome = await transport({ lookup: () => {} }).send(request('http://receiver.test/'))
    expect(outcome).toMatchObject({ kind: 'failure', outcome: 'timeout', phases: { connect: null } })
    expectOnTime((outcome as { durationMs: number }).durationMs)
    expect((outcome as { phases: { dns: number } }).phases.dns).toBeGreaterThanOrEqual(TIMEOUT_MS - 5)
  })

  test.runIf(process.platform === 'linux')('a connection that hangs ends at the deadline', async () => {
    const backlog = await startFullBacklog()
    ends.push(() => backlog.close())
    const before = openSockets()
    const outcome = await transport().send(request(`http://127.0.0.1:${backlog.port}/`))
    const detail: unknown = expect.stringContaining('connecting')
    expect(outcome).toMatchObject({ kind: 'failure', outcome: 'timeout', detail })
    expectOnTime((outcome as { durationMs: number }).durationMs)
    // The kernel's handle goes a few turns of the event loop after its socket.
    for (let turn = 0; turn < 20 && openSockets() > before; turn++) await new Promise((go) => setImmediate(go))
    expect(openSockets()).toBe(before)
  })

  test('a name that does not exist is dns_failed', async () => {
    const lookup: TransportOptions['lookup'] = (_hostname, callback) =>
      callback(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }), [])
    const outcome = await transport({ lookup }).send(request('http://receiver.test/'))
    expect(outcome).toMatchObject({
      kind: 'failure',
      outcome: 'dns_failed',
      phases: { dns: expect.any(Number), connect: null },
    })
  })

  test('a resolver that is down is our own fault from the second name on', async () => {
    const lookup: TransportOptions['lookup'] = (_hostname, callback) =>
      callback(Object.assign(new Error('getaddrinfo EAI_AGAIN'), { code: 'EAI_AGAIN' }), [])
    const { send } = transport({ lookup })
    expect(await send(request('http://one.test/'))).toMatchObject({ kind: 'failure', outcome: 'dns_failed' })
    expect(await send(request('http://one.test/'))).toMatchObject({ kind: 'failure', outcome: 'dns_failed' })
    expect(await send(request('http://two.test/'))).toMatchObject({ kind: 'not_sent', fault: 'no_resolver' })
  })
})

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap' || name === 'TCPConnectWrap').length
}

test('without file descriptors nothing is sent and no attempt is used up', async () => {
  const started = await receiver({ onRequest: answer(200) })
  const connect = Socket.prototype.connect
  ends.push(async () => void (Socket.prototype.connect = connect))
  Socket.prototype.connect = function (this: Socket) {
    return this.destroy(Object.assign(new Error('connect EMFILE'), { code: 'EMFILE' }))
  }
  const outcome = await transport().send(request(started.url))
  expect(outcome).toMatchObject({ kind: 'not_sent', fault: 'no_resources', detail: expect.stringContaining('EMFILE') })
})
