import { afterEach, describe, expect, test } from 'vitest'
import { startConnectProxy, type ConnectProxy } from '../../test/connect-proxy.ts'
import { answer } from '../../test/hostile-receivers/behaviours.ts'
import { startRawReceiver, type RawReceiver } from '../../test/hostile-receivers/raw-receiver.ts'
import { SELF_SIGNED_CERTIFICATE } from '../../test/hostile-receivers/self-signed.ts'
import type { AttemptRequest, Transport } from '../core/attempt-outcome.ts'
import { createEgressPolicy, type EgressPolicyOptions } from './egress-policy.ts'
import type { Lookup } from './name-resolver.ts'
import type { EgressProxy } from './proxy-tunnel.ts'
import { createTransport } from './transport.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function receiver(tls = false): Promise<RawReceiver> {
  const started = await startRawReceiver({ tls, onRequest: answer(200, 'ok') })
  ends.push(() => started.close())
  return started
}

async function proxy(...[reply]: Parameters<typeof startConnectProxy>): Promise<ConnectProxy> {
  const started = await startConnectProxy(reply)
  ends.push(() => started.close())
  return started
}

interface Settings extends Partial<EgressProxy> {
  egress?: EgressPolicyOptions
  addresses?: string[]
}

function transport(port: number, { egress = {}, addresses = [], ...settings }: Settings = {}): Transport {
  const lookup: Lookup = (_hostname, callback) => {
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    setImmediate(() => callback(null, found))
  }
  const made = createTransport({
    ...{ egress: createEgressPolicy(egress), lookup, ca: SELF_SIGNED_CERTIFICATE },
    proxy: { host: '127.0.0.1', port, authorization: null, dns: 'local', ...settings },
  })
  ends.push(() => made.close())
  return made
}

const request = (url: string, timeoutMs = 2000): AttemptRequest => ({
  url,
  headers: [],
  body: Buffer.from('{}'),
  timeoutMs,
})

const PUBLIC = '93.184.215.14'
const down = { kind: 'not_sent', fault: 'proxy_down' }
const blocked = { kind: 'failure', outcome: 'blocked_address' }

describe('through an egress proxy', () => {
  test('goes to the vetted address, with the name that TLS checks, and uses the connection again', async () => {
    const [through, started] = [await proxy(), await receiver(true)]
    const { send } = transport(through.port, { addresses: [PUBLIC], authorization: 'Basic dTpw' })
    const url = `https://receiver.test:${started.port}/hook`
    for (let count = 0; count < 2; count++) {
      expect(await send(request(url))).toMatchObject({ kind: 'response', status: 200 })
    }
    expect(through.asked.map(({ authority }) => authority)).toEqual([`${PUBLIC}:${started.port}`])
    expect(through.asked[0]?.head).toBe(
      `CONNECT ${PUBLIC}:${started.port} HTTP/1.1\r\nhost: ${PUBLIC}:${started.port}\r\nproxy-authorization: Basic dTpw\r\n\r\n`,
    )
    expect(started.requests).toHaveLength(2)
    expect(started.requests.join()).not.toMatch(/proxy-/)
    const other = await send(request(`https://elsewhere.test:${started.port}/`))
    expect(other).toMatchObject({ kind: 'failure', outcome: 'tls_failed' })
  })

  test('plain http goes by CONNECT too', async () => {
    const [through, started] = [await proxy(), await receiver()]
    const { send } = transport(through.port, { egress: { allowHttp: true } })
    const outcome = await send(request(`http://[2606:2800:220:1::1]:${started.port}/`))
    expect(outcome).toMatchObject({ kind: 'response', status: 200 })
    expect(through.asked[0]?.authority).toBe(`[2606:2800:220:1::1]:${started.port}`)
  })

  test('the door stays as closed as without one', async () => {
    const through = await proxy()
    const { send } = transport(through.port, { egress: { allowHttp: true }, addresses: [PUBLIC, '10.0.0.1'] })
    for (const host of ['name.test', '127.0.0.1', '169.254.169.254', '[fd00::1]', '2130706433']) {
      expect(await send(request(`https://${host}/`))).toMatchObject(blocked)
    }
    expect(through.asked).toEqual([])
  })

  test('an address that the proxy cannot reach is followed by the next, and all of them are the receiver’s failure', async () => {
    const started = await receiver(true)
    const through = await proxy((authority) => (authority.startsWith(PUBLIC) ? 502 : 200))
    const url = `https://receiver.test:${started.port}/`
    const both = transport(through.port, { addresses: [PUBLIC, '8.8.4.4'] })
    expect(await both.send(request(url))).toMatchObject({ kind: 'response', status: 200 })
    const one = transport(through.port, { addresses: [PUBLIC] })
    expect(await one.send(request(url))).toMatchObject({ kind: 'failure', outcome: 'connect_failed' })
  })

  test.each<[string, number | string, object]>([
    ['403', 403, blocked],
    ['407', 407, down],
    ['500', 500, down],
    ['400', 400, down],
    ['something else than HTTP', 'SSH-2.0-OpenSSH\r\n\r\n', down],
    ['nothing, and closes', '', down],
    ['headers without end', `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(4000)}`, down],
  ])('a proxy that answers %s', async (_what, reply, expected) => {
    const { send } = transport((await proxy(() => reply)).port, { addresses: [PUBLIC] })
    expect(await send(request('https://receiver.test/'))).toMatchObject(expected)
  })

  test('a proxy that is not there is our own fault, and one that says nothing runs into the deadline', async () => {
    const gone = await startConnectProxy()
    await gone.close()
    expect(await transport(gone.port, { addresses: [PUBLIC] }).send(request('https://receiver.test/'))).toMatchObject(
      down,
    )
    const silent = await startRawReceiver({})
    ends.push(() => silent.close())
    const outcome = await transport(silent.port, { addresses: [PUBLIC] }).send(request('https://receiver.test/', 300))
    expect(outcome).toMatchObject({
      kind: 'failure',
      outcome: 'timeout',
      detail: expect.stringContaining('while connecting'),
    })
    await silent.allGone()
  })

  test('may resolve names itself: then it is asked by name, and literals are vetted all the same', async () => {
    const [through, started] = [await proxy(), await receiver(true)]
    const { send } = transport(through.port, { dns: 'proxy' })
    const url = `https://receiver.test:${started.port}/`
    expect(await send(request(url))).toMatchObject({ kind: 'response', status: 200 })
    expect(through.asked.map(({ authority }) => authority)).toEqual([`receiver.test:${started.port}`])
    for (const host of ['localhost', 'a.localhost.', '10.0.0.1', '[::1]']) {
      expect(await send(request(`https://${host}/`))).toMatchObject(blocked)
    }
    const allowing = transport(through.port, { dns: 'proxy', egress: { allow: ['10.0.0.0/8', 'plain.test'] } })
    expect(await allowing.send(request('http://name.test/'))).toMatchObject(blocked)
    const plain = await receiver()
    expect(await allowing.send(request(`http://plain.test:${plain.port}/`))).toMatchObject({ status: 200 })
  })
})
