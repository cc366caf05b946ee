import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeAscii, decodeUtf8 } from './json-utf8.ts'

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

test('any text is decoded as TextDecoder does', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      expect(decodeUtf8(encoder.encode(text))).toBe(text)
    }),
  )
})

test('any bytes, well formed or not, are decoded as TextDecoder does', () => {
  const leads = fc.constantFrom(
    0x41,
    0x80,
    0x8f,
    0x90,
    0x9f,
    0xa0,
    0xbf,
    0xc1,
    0xc2,
    0xe0,
    0xe1,
    0xed,
    0xef,
    0xf0,
    0xf4,
    0xf5,
  )
  const bytes = fc.array(fc.oneof(leads, fc.integer({ min: 0, max: 255 })), { maxLength: 12 })
  fc.assert(
    fc.property(bytes, fc.nat(3), (list, start) => {
      const whole = Uint8Array.from(list)
      const from = Math.min(start, whole.length)
      expect(decodeUtf8(whole, from)).toBe(decoder.decode(whole.subarray(from)))
      expect(decodeUtf8(whole, 0, from)).toBe(decoder.decode(whole.subarray(0, from)))
    }),
    { numRuns: 5_000 },
  )
})

test('long texts, with pairs across the places where it pauses', () => {
  for (const unit of ['a', 'é', '€', '😀', 'a😀']) {
    for (const count of [1_023, 1_024, 1_025, 2_046, 2_047, 2_048, 2_049, 9_001]) {
      const text = unit.repeat(count)
      expect(decodeUtf8(encoder.encode(text)) === text, `${unit} ${count}`).toBe(true)
    }
  }
})

test('ASCII of every length', () => {
  const text = Array.from({ length: 100 }, (_, index) => String.fromCharCode(28 + index)).join('')
  for (let end = 0; end <= 100; end += 1) expect(decodeAscii(encoder.encode(text), 0, end)).toBe(text.slice(0, end))
})
