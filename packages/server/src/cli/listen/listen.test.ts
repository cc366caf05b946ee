import { createServer } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { verifyWebhook, type Verification } from '@runbell/sdk/signing'
import type { AttemptView, EndpointView, Page } from '@runbell/sdk/contract'
import { expect, onTestFinished, test } from 'vitest'
import { listenOnLoopback } from '../loopback.ts'
import { shareDevServer } from '../testing/dev-server-here.ts'
import { forwardAttempt, type RelayedAttempt, type RelayOutcome } from './forward.ts'
import { listenAsRelay } from './relay-session.ts'

const here = shareDevServer()

test('the stored bytes go to the target with their signature, its answer is the outcome, and the endpoint goes', async () => {
  const { api } = here.server
  let secret = ''
  let verification: Verification | null = null
  const listener = await listenOnLoopback(async (request, response) => {
    verification = await verifyWebhook({ headers: request.headers, body: await buffer(request), secrets: secret })
    response.writeHead(202, { 'x-app': 'desk' }).end('taken')
  })
  onTestFinished(() => listener.close())
  const stopping = new AbortController()
  const seen: [RelayedAttempt, RelayOutcome][] = []
  let endpointId = ''
  await listenAsRelay(api, {
    target: listener.url,
    eventTypes: ['agent.run.*'],
    signal: stopping.signal,
    onReady(endpoint) {
      endpointId = endpoint.id
      secret = endpoint.secret ?? ''
      const event = {
        type: 'agent.run.started',
        run_id: 'run_test_relay',
        agent: { id: 'agent' },
        data: { status: 'running' },
      }
      void api.post('/v1/events', event)
    },
    onAttempt: () => {},
    onOutcome(attempt, outcome) {
      seen.push([attempt, outcome])
      // After the outcome has been told.
      const settled = async () => {
        const { data } = await api.get<Page<AttemptView>>(`/v1/deliveries/${attempt.delivery_id}/attempts`)
        if (data[0]?.status_code !== 202) return void setImmediate(() => void settled())
        expect(data[0]).toMatchObject({ outcome: 'delivered', status_code: 202 })
        stopping.abort()
      }
      void settled()
    },
    onTrouble: (message) => expect.unreachable(message),
  })
  expect(verification).toMatchObject({ ok: true })
  expect(seen[0]?.[1]).toMatchObject({ status_code: 202, response_headers: { 'x-app': 'desk' }, truncated: false })
  const { data } = await api.get<Page<EndpointView>>('/v1/endpoints?limit=200')
  expect(data.map(({ id }) => id)).not.toContain(endpointId)
})

const attempt = (timeoutMs: number): RelayedAttempt => ({
  ...{ attempt_id: 'att_1', delivery_id: 'dlv_1', number: 1, headers: { host: 'elsewhere', 'content-length': '9' } },
  ...{ body_base64: Buffer.from('{}').toString('base64'), timeout_ms: timeoutMs },
})

test('what goes wrong is an outcome: nobody there, no answer in time, nonsense, an endless body', async () => {
  const speak = async (onConnection: (write: (text: string) => void) => void) => {
    const server = createServer((socket) => {
      socket.on('error', () => {})
      onConnection((text) => void socket.write(text))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  }
  const silent = await speak(() => {})
  const nonsense = await speak((write) => write('this is not HTTP\r\n\r\n'))
  const endless = await speak((write) => write(`HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n${'x'.repeat(20_000)}`))
  expect(await forwardAttempt('http://127.0.0.1:1/', attempt(5000))).toMatchObject({ error: 'connect_failed' })
  expect(await forwardAttempt(silent, attempt(600))).toMatchObject({ error: 'timeout' })
  expect(await forwardAttempt(nonsense, attempt(5000))).toMatchObject({ error: 'protocol_error' })
  const taken = await forwardAttempt(endless, attempt(5000))
  expect(taken).toMatchObject({ status_code: 200, truncated: true })
  expect(Buffer.from(taken.response_excerpt_base64 ?? '', 'base64')).toHaveLength(16 * 1024)
})
