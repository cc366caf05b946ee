import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EVENT_ID_PATTERN, ID_PREFIXES, MODES, eventIdFitsMode, type IdKind } from '@runbell/sdk/contract'
import { fakeRandom } from '../../test/fake-clock.ts'
import { newId } from './new-id.ts'

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const KINDS = Object.keys(ID_PREFIXES) as IdKind[]

/** The UUIDv7 of RFC 9562, section 5.7, as a number: 48 bits of time, version, 12 random bits, variant, 62 random bits. */
function uuidOf(now: number, random: Uint8Array): bigint {
  const bits = random.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  const randomA = (bits >> 64n) & 0xfffn
  const randomB = bits & ((1n << 62n) - 1n)
  return (BigInt(now) << 80n) | (7n << 76n) | (randomA << 64n) | (2n << 62n) | randomB
}

/** 26 letters of 5 bits, the most significant first. */
function suffixOf(uuid: bigint): string {
  let suffix = ''
  for (let rest = uuid; suffix.length < 26; rest >>= 5n) suffix = ALPHABET[Number(rest & 31n)] + suffix
  return suffix
}

const time = fc.integer({ min: 0, max: 2 ** 48 - 1 })
const bytes = fc.uint8Array({ minLength: 10, maxLength: 10 })
const withBytes = (values: Uint8Array) => ({ bytes: (length: number) => values.slice(0, length), fraction: () => 0 })

describe('newId', () => {
  it('is a TypeID over UUIDv7, for any time and any random bytes', () => {
    fc.assert(
      fc.property(time, bytes, (now, random) => {
        const id = newId('event', 'live', now, withBytes(random))
        expect(id).toBe(`evt_${suffixOf(uuidOf(now, random))}`)
      }),
    )
  })

  it('agrees with the example of the TypeID specification', () => {
    // 0110c853-1d09-52d8-d73e-1194e95b5f19 is their example of the encoding; ours differs in version bits only.
    const suffix = suffixOf(0x0110c8531d0952d8d73e1194e95b5f19n)
    expect(suffix).toBe('0123456789abcdefghjkmnpqrs')
  })

  it('sorts by time as text, down to the millisecond', () => {
    fc.assert(
      fc.property(time, time, bytes, bytes, (a, b, randomA, randomB) => {
        fc.pre(a < b)
        const earlier = newId('delivery', 'live', a, withBytes(randomA))
        const later = newId('delivery', 'live', b, withBytes(randomB))
        expect(earlier < later).toBe(true)
      }),
    )
  })

  it('carries the prefix of its kind and says test in test mode', () => {
    for (const kind of KINDS) {
      const prefix = ID_PREFIXES[kind]
      expect(newId(kind, 'live', 1, fakeRandom())).toMatch(new RegExp(`^${prefix}_[0-9a-hjkmnp-tv-z]{26}$`))
      expect(newId(kind, 'test', 1, fakeRandom())).toMatch(new RegExp(`^${prefix}_test_[0-9a-hjkmnp-tv-z]{26}$`))
    }
  })

  it('makes event ids that the contract accepts in their mode and in no other', () => {
    for (const mode of MODES) {
      const id = newId('event', mode, Date.UTC(2026, 0, 5), fakeRandom())
      expect(id).toMatch(EVENT_ID_PATTERN)
      for (const other of MODES) expect(eventIdFitsMode(id, other)).toBe(other === mode)
    }
  })

  it('differs within one millisecond', () => {
    const random = fakeRandom()
    const ids = Array.from({ length: 20 }, () => newId('event', 'live', 5, random))
    expect(new Set(ids).size).toBe(20)
  })
})
