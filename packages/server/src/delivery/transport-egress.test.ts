import { afterEach, expect, test } from 'vitest'
import type { AttemptRequest } from '../core/attempt-outcome.ts'
import { answer } from '../../test/hostile-receivers/behaviours.ts'
import { startRawReceiver, type RawReceiver } from '../../test/hostile-receivers/raw-receiver.ts'
import { createEgressPolicy, type EgressPolicy } from './egress-policy.ts'
import type { Lookup, ResolvedAddress } from './name-resolver.ts'
import { createTransport } from './transport.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function receiver(host = '127.0.0.1'): Promise<RawReceiver> {
  const started = await startRawReceiver({ host, onRequest: answer(200) })
  ends.push(() => started.close())
  return started
}

function transport(egress: EgressPolicy, lookup: Lookup = () => {}) {
  const made = createTransport({ egress, lookup })
  ends.push(() => made.close())
  return made
}

function request(url: string): AttemptRequest {
  return { url, headers: [], body: Buffer.from('{}'), timeoutMs: 2000 }
}

function resolveTo(...addresses: string[]): Lookup {
  const list: ResolvedAddress[] = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  return (_hostname, callback) => setImmediate(() => callback(null, list))
}

const blocked = { kind: 'failure', outcome: 'blocked_address' }

const LOOPBACK = ['127.0.0.1', '127.0.0.1.', '2130706433', '0x7f.1', '0', '[::]', '[::1]', '[::ffff:7f00:1]']

test.each([...LOOPBACK, '[64:ff9b::7f00:1]'])(
  'the literal %s is refused before a connection, over http and https',
  async (host) => {
    const started = await receiver(host.startsWith('[') ? '::' : '127.0.0.1')
    const { send } = transport(createEgressPolicy({ allowHttp: true }))
    for (const scheme of ['http', 'https']) {
      expect(await send(request(`${scheme}://${host}:${started.port}/`))).toMatchObject(blocked)
    }
    expect(started.connections).toBe(0)
  },
)

test('a literal is refused by the connector too, where no lookup would see it', async () => {
  const started = await receiver()
  const policy = createEgressPolicy({ allowHttp: true })
  const { send } = transport({ ...policy, checkUrl: () => null })
  expect(await send(request(started.url))).toMatchObject(blocked)
  expect(started.connections).toBe(0)
})

test.each([
  ['a private address', ['10.0.0.1']],
  ['a forbidden address after an allowed one', ['127.0.0.1', '10.0.0.1']],
  ['a forbidden address before an allowed one', ['169.254.169.254', '127.0.0.1']],
  ['a forbidden IPv6 address', ['127.0.0.1', 'fd00::1']],
  ['a mapped address', ['::ffff:10.0.0.1']],
  ['an address with a zone', ['fe80::1%lo']],
])('a name that resolves to %s is refused as a whole', async (_name, addresses) => {
  const started = await receiver()
  const { send } = transport(createEgressPolicy({ devLoopback: true }), resolveTo(...addresses))
  expect(await send(request(`http://name.test:${started.port}/`))).toMatchObject(blocked)
  expect(started.connections).toBe(0)
})

test('an answer of the resolver that is no address is dns_failed', async () => {
  const { send } = transport(createEgressPolicy({ devLoopback: true }), resolveTo('elsewhere.test'))
  expect(await send(request('http://name.test/'))).toMatchObject({ kind: 'failure', outcome: 'dns_failed' })
})

test('the vetted address is the one that is dialled: a second lookup never happens', async () => {
  const started = await receiver()
  let lookups = 0
  const rebinding: Lookup = (_hostname, callback) => {
    lookups += 1
    callback(null, [{ address: lookups === 1 ? '127.0.0.1' : '10.0.0.1', family: 4 }])
  }
  const { send } = transport(createEgressPolicy({ devLoopback: true }), rebinding)
  expect(await send(request(`http://name.test:${started.port}/`))).toMatchObject({ kind: 'response', status: 200 })
  expect(lookups).toBe(1)
  expect(started.requests[0]).toContain(`host: name.test:${started.port}`)
})

test('the peer is checked again before the first byte', async () => {
  const started = await receiver()
  const { send } = transport(createEgressPolicy({ devLoopback: true }), resolveTo('::ffff:127.0.0.1'))
  const url = `http://name.test:${started.port}/`
  expect(await send(request(url))).toMatchObject({ kind: 'response' })

  const asked: string[] = []
  const strict: EgressPolicy = {
    checkUrl: () => null,
    checkName: () => null,
    checkAddress: (address) => {
      asked.push(address)
      return asked.length === 1 ? null : { rule: 'address', detail: `${address} is not where we meant to go` }
    },
  }
  // The kernel spells this address ::ffff:127.0.0.1, so the peer is not, by its text, one that was vetted.
  const second = await transport(strict, resolveTo('0:0:0:0:0:ffff:7f00:1')).send(request(url))
  expect(second).toMatchObject({ ...blocked, detail: expect.stringContaining('connected peer') })
  expect(asked).toHaveLength(2)
  expect(started.requests).toHaveLength(1)
})

test('addresses are tried in order until one answers', async () => {
  const started = await receiver()
  const { send } = transport(createEgressPolicy({ devLoopback: true }), resolveTo('127.0.0.2', '::1', '127.0.0.1'))
  expect(await send(request(`http://name.test:${started.port}/`))).toMatchObject({ kind: 'response', status: 200 })
})

test('own listeners are closed even where loopback is open', async () => {
  const started = await receiver()
  const policy = createEgressPolicy({ devLoopback: true })
  const { send } = transport(policy)
  expect(await send(request(started.url))).toMatchObject({ kind: 'response' })
  policy.setOwnListeners([{ host: '0.0.0.0', port: started.port }])
  expect(await send(request(started.url))).toMatchObject(blocked)
  expect(started.requests).toHaveLength(1)
})

test('a policy that throws refuses', async () => {
  const started = await receiver()
  const broken: EgressPolicy = {
    checkUrl: () => null,
    checkName: () => null,
    checkAddress: () => {
      throw new Error('broken')
    },
  }
  const { send } = transport(broken, resolveTo('127.0.0.1'))
  expect(await send(request(`http://name.test:${started.port}/`))).toMatchObject(blocked)
  expect(started.connections).toBe(0)
})
