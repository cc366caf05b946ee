import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ADDRESS_CORPUS } from '../../test/egress/address-corpus.ts'
import { classifyAddress } from './address-class.ts'
import { createEgressPolicy } from './egress-policy.ts'
import { parseAddress } from './ip-address.ts'
import { createUrlPolicy } from './url-policy.ts'

const production = createUrlPolicy(createEgressPolicy())
/** An operator who allows all there is. */
const wideOpen = createUrlPolicy(createEgressPolicy({ allow: ['0.0.0.0/0', '::/0'] }))

describe('the corpus of addresses', () => {
  it('has at least 250 rows, each once', () => {
    expect(ADDRESS_CORPUS.length).toBeGreaterThanOrEqual(250)
    expect(new Set(ADDRESS_CORPUS.map(([host]) => host)).size).toBe(ADDRESS_CORPUS.length)
  })

  it.each(ADDRESS_CORPUS)('https://%s/ is %s: %s', (host, verdict) => {
    const url = `https://${host}/hook`
    const answer = production.check(url)
    expect(answer.ok).toBe(verdict === 'public')
    if (!answer.ok && verdict !== 'no_url')
      expect(answer.reason).toBe('leads to an address that deliveries may not reach')
    if (!answer.ok) expect(answer.reason).not.toContain(host)
    expect(wideOpen.check(url).ok).toBe(verdict === 'public' || verdict === 'special')
  })
})

const octet = fc.nat(255)
const v4 = fc.oneof(
  fc.tuple(octet, octet, octet, octet),
  fc.constantFrom(
    [127, 0, 0, 1],
    [169, 254, 169, 254],
    [10, 1, 2, 3],
    [192, 168, 0, 9],
    [100, 64, 3, 1],
    [168, 63, 129, 16],
  ),
)
const hex = (...bytes: number[]) => {
  const pairs = []
  for (let at = 0; at < bytes.length; at += 2) pairs.push((((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)).toString(16))
  return pairs.join(':')
}

/** Every form of IPv6 that an IPv4 address can stand in. */
const FORMS: Record<string, (a: number, b: number, c: number, d: number) => string> = {
  mapped: (...v) => `::ffff:${hex(...v)}`,
  compatible: (...v) => `::${hex(...v)}`,
  translated: (...v) => `::ffff:0:${hex(...v)}`,
  nat64: (...v) => `64:ff9b::${hex(...v)}`,
  'local nat64': (...v) => `64:ff9b:1::${hex(...v)}`,
  'local nat64, /48': (a, b, c, d) => `64:ff9b:1:${hex(a, b)}:${hex(0, c)}:${hex(d, 0)}::`,
  '6to4': (...v) => `2002:${hex(...v)}::1`,
  'Teredo server': (...v) => `2001:0:${hex(...v)}::f7f7:f7f7`,
  'Teredo client': (a, b, c, d) => `2001:0:808:808::${hex(255 - a, 255 - b, 255 - c, 255 - d)}`,
  isatap: (...v) => `2606:4700::5efe:${hex(...v)}`,
  'isatap, universal': (...v) => `2606:4700::200:5efe:${hex(...v)}`,
}

const RANK = { public: 0, special: 1, never: 2 } as const

describe('an IPv4 address inside an IPv6 address', () => {
  it.each(Object.keys(FORMS))('%s: is reached no further than the address itself', (name) => {
    fc.assert(
      fc.property(v4, (bytes) => {
        const [a = 0, b = 0, c = 0, d = 0] = bytes
        const text = FORMS[name]?.(a, b, c, d) ?? ''
        const carrier = parseAddress(text)
        expect(carrier, text).not.toBeNull()
        const outer = RANK[classifyAddress(carrier ?? new Uint8Array(16)).reach]
        const inner = RANK[classifyAddress(Uint8Array.from([a, b, c, d])).reach]
        expect([text, outer > 0 || inner === 0]).toEqual([text, true])
        // In a local prefix zeros stand where no address is: 0.0.0.0/8 cannot be told from that, and stays `special`.
        if (!(name.startsWith('local') && a === 0)) expect([text, outer >= inner]).toEqual([text, true])
      }),
      { numRuns: 500 },
    )
  })
})
