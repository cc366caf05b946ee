import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { damagedBytes, jsonText, space } from '../../test/json-corpus/arbitraries.ts'
import { parseText } from '../../test/json-corpus/reference.ts'
import { scanJson } from './json-scan.ts'
import { splitJsonArray } from './json-split.ts'

const encoder = new TextEncoder()
const lenient = new TextDecoder('utf-8', { ignoreBOM: true })

function itemsOf(source: string | Uint8Array, maxItems = 1_000): string[] | string {
  const bytes = typeof source === 'string' ? encoder.encode(source) : source
  const result = splitJsonArray(bytes, { maxItems })
  if (!result.ok) return `${result.error.code} ${result.error.offset} ${result.error.path}`
  return result.items.map(({ start, end }) => lenient.decode(bytes.subarray(start, end)))
}

describe('splitJsonArray', () => {
  test('gives each element without the white space around it', () => {
    expect(itemsOf(' [ ]\n')).toEqual([])
    expect(itemsOf('[ {"a" : [1, 2]} ,\n"x,]" , -1.5e3,[[]],null ] ')).toEqual([
      '{"a" : [1, 2]}',
      '"x,]"',
      '-1.5e3',
      '[[]]',
      'null',
    ])
  })

  test.each<[string, string]>([
    ['', 'malformed_json 0 '],
    ['{}', 'malformed_json 0 '],
    ['\uFEFF[]', 'malformed_json 0 '],
    ['[', 'malformed_json 1 /0'],
    ['[1', 'malformed_json 2 '],
    ['[1,', 'malformed_json 3 /1'],
    ['[1,]', 'malformed_json 3 /1'],
    ['[,1]', 'malformed_json 1 /0'],
    ['[1 2]', 'malformed_json 3 '],
    ['[1]]', 'malformed_json 3 '],
    ['[{"a":1},{"b":}]', 'malformed_json 14 /1'],
    ['[{"a":1},{"b" 1}]', 'malformed_json 14 /1'],
    ['[{"a":1,}]', 'malformed_json 8 /0'],
    ['[[1,]]', 'malformed_json 4 /0'],
    ['[[1}]', 'malformed_json 3 /0'],
    ['["a\nb"]', 'malformed_json 3 /0'],
    ['["\\x"]', 'malformed_json 3 /0'],
    ['["\\u00"]', 'malformed_json 2 /0'],
    ['[01]', 'malformed_json 2 /0'],
    ['[tru]', 'malformed_json 1 /0'],
  ])('refuses the whole of %j: %s', (text, expected) => {
    expect(itemsOf(text)).toBe(expected)
  })

  test('what is wrong only inside one element is left to its own scan', () => {
    const bytes = Uint8Array.from([
      ...encoder.encode(`[{"ok":1},{"a":1,"a":2},"\\ud800",${'['.repeat(40)}${']'.repeat(40)},{"k":"`),
      0xe2,
      0x82,
      0xff,
      ...encoder.encode('"},{"ok":2}]'),
    ])
    const result = splitJsonArray(bytes, { maxItems: 10 })
    if (!result.ok) throw new Error(result.error.message)
    const codes = result.items.map((span) => {
      const scanned = scanJson(bytes, span)
      return scanned.ok ? 'ok' : scanned.error.code
    })
    expect(codes).toEqual(['ok', 'duplicate_key', 'malformed_json', 'too_deep', 'malformed_json', 'ok'])
  })

  test('stops at the first element over the limit', () => {
    expect(itemsOf('[1,2,3]', 3)).toEqual(['1', '2', '3'])
    expect(itemsOf('[1,2,3', 2)).toBe('too_many_items 5 /2')
    expect(itemsOf('[]', 0)).toEqual([])
    expect(itemsOf('[1]', 0)).toBe('too_many_items 1 /0')
    expect(() => splitJsonArray(encoder.encode('[]'), { maxItems: Number.NaN })).toThrow(RangeError)
  })

  test('10 MB of brackets, closed or not, are one element or an error', () => {
    const bomb = new Uint8Array(10_000_000).fill(0x5b)
    expect(splitJsonArray(bomb, { maxItems: 1 })).toMatchObject({
      ok: false,
      error: { offset: 10_000_000, path: '/0' },
    })
    bomb.fill(0x5d, 5_000_000)
    expect(splitJsonArray(bomb, { maxItems: 1 })).toEqual({ ok: true, items: [{ start: 1, end: 9_999_999 }] })
    const mixed = encoder.encode(`[${'[{"a":'.repeat(9_999)}0${'}]'.repeat(9_999)}]`)
    expect(splitJsonArray(mixed, { maxItems: 1 }).ok).toBe(true)
    expect(splitJsonArray(mixed.with(mixed.length - 2, 0x7d), { maxItems: 1 }).ok).toBe(false)
  })

  test('splits every array of texts into exactly these texts', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(space, jsonText, space), { maxLength: 8 }), (parts) => {
        const inner = parts.map((part) => part.join('')).join(',')
        expect(itemsOf(`[${inner}]`)).toEqual(parts.map((part) => part[1]))
      }),
    )
  })

  test('accepts damaged bytes exactly when JSON.parse of the leniently decoded text gives an array', () => {
    const wrapped = damagedBytes.map((bytes) => Uint8Array.from([0x5b, ...bytes, 0x5d]))
    fc.assert(
      fc.property(fc.oneof(wrapped, damagedBytes), (bytes) => {
        const parsed = parseText(lenient.decode(bytes))?.value
        const result = splitJsonArray(bytes, { maxItems: 1_000_000 })
        expect(result.ok).toBe(Array.isArray(parsed))
        if (!result.ok) return
        const values = result.items.map(
          ({ start, end }) => parseText(lenient.decode(bytes.subarray(start, end)))?.value,
        )
        expect(isDeepStrictEqual(values, parsed)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })
})
