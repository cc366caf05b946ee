import { networkInterfaces } from 'node:os'
import { describe, expect, test } from 'vitest'
import { createEgressPolicy, type EgressPolicyOptions } from './egress-policy.ts'

function rule(url: string, options: EgressPolicyOptions = {}): string | null {
  return createEgressPolicy(options).checkUrl(new URL(url))?.rule ?? null
}

/** The verdict on one address of `name.test`, as the connector asks for it. */
function addressRule(address: string, options: EgressPolicyOptions = {}, protocol = 'https:'): string | null {
  const policy = createEgressPolicy(options)
  return policy.checkAddress(address, address.includes(':') ? 6 : 4, 443, 'name.test', protocol)?.rule ?? null
}

test.each([
  ['https://example.com/', null],
  ['https://93.184.216.34/', null],
  ['https://[2606:4700::1]/', null],
  ['http://example.com/', 'http'],
  ['http://93.184.216.34/', 'http'],
  ['ftp://example.com/', 'scheme'],
  ['file:///etc/passwd', 'scheme'],
  ['https://user@example.com/', 'userinfo'],
  ['https://:secret@example.com/', 'userinfo'],
  ['https://example.com:0/', 'port'],
  ['https://10.0.0.1/', 'address'],
  ['https://0xa9fea9fe/', 'address'],
  ['https://[::ffff:a9fe:a9fe]/', 'address'],
])('by default %s gives %s', (url, expected) => {
  expect(rule(url)).toBe(expected)
})

describe('in dev', () => {
  const dev = { devLoopback: true }
  test.each([
    ['http://127.0.0.1:3000/', null],
    ['http://127.8.9.10:3000/', null],
    ['http://[::1]:3000/', null],
    ['http://localhost:3000/', null],
    ['http://192.168.0.2/', 'address'],
    ['http://0.0.0.0:3000/', 'address'],
    ['http://93.184.216.34/', 'http'],
  ])('%s gives %s', (url, expected) => {
    expect(rule(url, dev)).toBe(expected)
  })

  test('a name over http may go to loopback and nowhere else', () => {
    expect(addressRule('127.0.0.1', dev, 'http:')).toBe(null)
    expect(addressRule('93.184.216.34', dev, 'http:')).toBe('http')
    expect(addressRule('93.184.216.34', dev, 'https:')).toBe(null)
  })
})

describe('the allow-list', () => {
  test('a CIDR opens its addresses, also over http and inside mapped and NAT64 addresses', () => {
    const options = { allow: ['10.1.0.0/16', 'fd12::/16', '192.168.7.7'] }
    expect(rule('http://10.1.2.3/', options)).toBe(null)
    expect(rule('http://[::ffff:10.1.2.3]/', options)).toBe(null)
    expect(rule('http://[64:ff9b::10.1.2.3]/', options)).toBe(null)
    expect(rule('http://[fd12::1]/', options)).toBe(null)
    expect(rule('http://192.168.7.7/', options)).toBe(null)
    expect(rule('http://10.2.0.1/', options)).toBe('address')
    expect(rule('http://192.168.7.8/', options)).toBe('address')
    expect(addressRule('10.1.2.3', options, 'http:')).toBe(null)
    expect(addressRule('93.184.216.34', options, 'http:')).toBe('http')
  })

  test('a host opens whatever it resolves to, also over http, and no other name', () => {
    const policy = createEgressPolicy({ allow: ['Hooks.Internal.'] })
    const check = (hostname: string) => policy.checkAddress('10.0.0.1', 4, 80, hostname, 'http:')?.rule ?? null
    expect(check('hooks.internal')).toBe(null)
    expect(check('hooks.internal.')).toBe(null)
    expect(check('evil.hooks.internal')).toBe('address')
    expect(policy.checkUrl(new URL('http://hooks.internal/'))).toBe(null)
    expect(policy.checkUrl(new URL('http://other.internal/'))?.rule).toBe('http')
  })

  test.each([
    '169.254.169.254',
    '169.254.0.1',
    '168.63.129.16',
    '100.100.100.200',
    '192.0.0.192',
    'fd00:ec2::254',
    'fd20:ce::254',
    'fe80::1',
    '::ffff:169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1:a9fe:a9:fe00::',
    '2002:a9fe:a9fe::1',
    '2001:0:a9fe:a9fe::1',
    '2001::5601:5601',
    '::169.254.169.254',
    '::ffff:0:169.254.169.254',
    '2606:4700::200:5efe:a9fe:a9fe',
    '0.0.0.0',
    '::',
    '224.0.0.1',
    'ff02::1',
    '255.255.255.255',
  ])('never opens %s', (address) => {
    const everything = { allow: ['0.0.0.0/0', '::/0', 'name.test'], allowHttp: true, devLoopback: true }
    expect(addressRule(address, everything)).toBe('address')
  })

  test.each(['10.0.0.0/33', '10.0.0/8', 'fd00::/129', 'a b', 'http://x', '', '10.0.0.0/', '*.internal', '10.0.0'])(
    'an entry %j is refused at the start',
    (entry) => {
      expect(() => createEgressPolicy({ allow: [entry] })).toThrow(RangeError)
    },
  )
})

describe('own listeners', () => {
  test('on every interface they close every local address, whatever form it has', () => {
    const policy = createEgressPolicy({ allow: ['0.0.0.0/0', '::/0'] })
    policy.setOwnListeners([{ host: '::', port: 4600 }])
    const check = (address: string, port: number) => policy.checkAddress(address, 4, port, 'x', 'https:')?.rule ?? null
    const own = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
    expect(own.length).toBeGreaterThan(0)
    for (const { address } of own) expect(check(address, 4600)).not.toBe(null)
    for (const address of ['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1']) {
      expect(check(address, 4600)).toBe('own_listener')
      expect(check(address, 4601)).toBe(null)
    }
    expect(check('93.184.216.34', 4600)).toBe(null)
  })

  test('on one address they close that one, and a new list replaces the old', () => {
    const policy = createEgressPolicy({ devLoopback: true })
    const check = (address: string) => policy.checkAddress(address, 4, 4600, 'x', 'http:')?.rule ?? null
    policy.setOwnListeners([{ host: '127.0.0.1', port: 4600 }])
    expect(check('127.0.0.1')).toBe('own_listener')
    expect(check('127.0.0.2')).toBe(null)
    policy.setOwnListeners([{ host: 'localhost', port: 4600 }])
    expect(check('127.0.0.2')).toBe('own_listener')
    policy.setOwnListeners([])
    expect(check('127.0.0.1')).toBe(null)
  })
})
