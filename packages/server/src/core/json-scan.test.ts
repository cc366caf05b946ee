import { describe, expect, test } from 'vitest'
import { scanJson, type ScanOptions } from './json-scan.ts'

const encoder = new TextEncoder()
const bytesOf = (source: string | readonly number[]): Uint8Array =>
  typeof source === 'string' ? encoder.encode(source) : Uint8Array.from(source)

function outcome(source: string | readonly number[], options?: ScanOptions): string {
  const result = scanJson(bytesOf(source), options)
  return result.ok ? 'ok' : `${result.error.code} ${result.error.offset} ${result.error.path}`
}

describe('scanJson accepts', () => {
  test.each([
    '{}',
    '[]',
    '""',
    '0',
    '-0',
    'true',
    'false',
    'null',
    ' \t\r\n[ ] ',
    '[1,2,[3]]',
    '{"a":{"b":[{}]}}',
    '1E400',
    '1.0',
    '-12.5e+07',
    '123456789012345678901234567890',
    '"\\u0000\\"\\\\\\/\\b\\f\\n\\r\\t"',
    '"\\ud83d\\uDE00"',
    '"\u007f"',
    '"é€😀"',
    '{"":0," ":0}',
    '{"__proto__":1,"constructor":2}',
    '"\uFEFF"',
    '[{},{}]',
    '{"a":1,"A":1}',
  ])('%s', (text) => {
    const result = scanJson(bytesOf(text))
    expect(result.ok && result.json.value(result.json.root)).toEqual(JSON.parse(text))
  })
})

describe('scanJson refuses, with the offset and the path', () => {
  test.each<[string, string]>([
    ['', 'malformed_json 0 '],
    ['  ', 'malformed_json 2 '],
    ['{', 'malformed_json 1 '],
    ['[', 'malformed_json 1 /0'],
    ['[1', 'malformed_json 2 '],
    ['[1,]', 'malformed_json 3 /1'],
    ['[,1]', 'malformed_json 1 /0'],
    ['[1}', 'malformed_json 2 '],
    ['[1 2]', 'malformed_json 3 '],
    ['{"a"}', 'malformed_json 4 '],
    ['{"a":}', 'malformed_json 5 /a'],
    ['{"a":1,}', 'malformed_json 7 '],
    ['{a:1}', 'malformed_json 1 '],
    ['{"a":1]', 'malformed_json 6 '],
    ['{"a":[0,{"b~/":tru}]}', 'malformed_json 15 /a/1/b~0~1'],
    ['[[1],[2,x]]', 'malformed_json 8 /1/1'],
    ['1 2', 'malformed_json 2 '],
    ['{}}', 'malformed_json 2 '],
    ['01', 'malformed_json 1 '],
    ['-', 'malformed_json 1 '],
    ['-01', 'malformed_json 2 '],
    ['1.', 'malformed_json 2 '],
    ['.1', 'malformed_json 0 '],
    ['+1', 'malformed_json 0 '],
    ['1e', 'malformed_json 2 '],
    ['1e+', 'malformed_json 3 '],
    ['NaN', 'malformed_json 0 '],
    ['nul', 'malformed_json 0 '],
    ['True', 'malformed_json 0 '],
    ["'a'", 'malformed_json 0 '],
    ['"a', 'malformed_json 2 '],
    ['"\\', 'malformed_json 2 '],
    ['"\\x"', 'malformed_json 2 '],
    ['"\\u12G4"', 'malformed_json 1 '],
    ['"\\u123', 'malformed_json 1 '],
    ['"a\nb"', 'malformed_json 2 '],
    ['"\u0000"', 'malformed_json 1 '],
    ['"\\ud800"', 'malformed_json 1 '],
    ['"a\\udc00"', 'malformed_json 2 '],
    ['"\\ud800\\ud800"', 'malformed_json 1 '],
    ['"\\ud800\\n"', 'malformed_json 1 '],
    ['"\\udc00\\udc00"', 'malformed_json 1 '],
    ['"\\ud800\\udbff"', 'malformed_json 1 '],
    ['"\\ud800\\ue000"', 'malformed_json 1 '],
    ['"\\udfff"', 'malformed_json 1 '],
    ['{"\\udfff":1}', 'malformed_json 2 '],
    ['\uFEFF{}', 'malformed_json 0 '],
    ['\u00a0{}', 'malformed_json 0 '],
    ['[1]\u0000', 'malformed_json 3 '],
    ['{"a":1,"a":2}', 'duplicate_key 7 /a'],
    ['{"a":1,"\\u0061":2}', 'duplicate_key 7 /a'],
    ['{"é":1,"\\u00e9":2}', 'duplicate_key 8 /é'],
    ['{"":1,"":2}', 'duplicate_key 6 /'],
    ['{"x":[{"__proto__":1,"b":0,"__proto__":2}]}', 'duplicate_key 27 /x/0/__proto__'],
    ['{"a":{"b":1,"b":2},"a":3}', 'duplicate_key 19 /a'],
  ])('%j: %s', (text, expected) => {
    expect(outcome(text)).toBe(expected)
  })

  test.each<[string, number[]]>([
    ['a lone continuation byte', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['an overlong NUL', [0xc1, 0x80]],
    ['an overlong three-byte form', [0xe0, 0x9f, 0xbf]],
    ['an overlong four-byte form', [0xf0, 0x8f, 0xbf, 0xbf]],
    ['a surrogate as CESU-8', [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80]],
    ['more than U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['a five-byte form', [0xf8, 0x88, 0x80, 0x80, 0x80]],
    ['0xFF', [0xff]],
    ['two of three bytes', [0xe2, 0x82]],
    ['three of four bytes', [0xf0, 0x9f, 0x98]],
  ])('invalid UTF-8: %s', (_, middle) => {
    expect(outcome([0x22, 0x61, ...middle, 0x22])).toBe('malformed_json 2 ')
    expect(outcome([0x7b, 0x22, ...middle, 0x22, 0x3a, 0x31, 0x7d])).toBe('malformed_json 2 ')
    expect(outcome([0x22, 0x61, ...middle])).toBe('malformed_json 2 ')
  })

  test('every raw control character inside a string, and no other ASCII', () => {
    for (let byte = 0; byte < 0x80; byte += 1) {
      const expected = byte < 0x20 || byte === 0x22 || byte === 0x5c ? expect.stringMatching('malformed') : 'ok'
      expect(outcome([0x22, byte, 0x22]), `0x${byte.toString(16)}`).toEqual(expected)
      expect(outcome([0x7b, 0x22, byte, 0x22, 0x3a, 0x31, 0x7d]), `0x${byte.toString(16)}`).toEqual(expected)
    }
  })

  test('in plain words', () => {
    const message = (text: string): string | undefined => {
      const result = scanJson(bytesOf(text))
      return result.ok ? undefined : result.error.message
    }
    expect(message('{"a":1 "b"')).toBe("expected ',' or '}' after the member's value but found '\"' at byte 7")
    expect(message('[1')).toBe("expected ',' or ']' after the array's element but found the end of the input at byte 2")
    expect(message('"\u0001"')).toBe(
      'expected control characters inside a string to be escaped but found the byte 0x01 at byte 1',
    )
  })
})

describe('limits', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

  test('32 levels by default, the outermost is the first', () => {
    expect(outcome(nested(32))).toBe('ok')
    expect(outcome(nested(33))).toBe(`too_deep 32 ${'/0'.repeat(32)}`)
    expect(outcome('{"a":[0]}', { maxDepth: 1 })).toBe('too_deep 5 /a')
    expect(outcome('0', { maxDepth: 0 })).toBe('ok')
    expect(outcome('[]', { maxDepth: 0 })).toBe('too_deep 0 ')
  })

  test('10 MB of opening brackets stop at the limit, and without one they do not overflow the stack', () => {
    const bomb = new Uint8Array(10_000_000).fill(0x5b)
    const limited = scanJson(bomb)
    expect(limited).toMatchObject({ ok: false, error: { code: 'too_deep', offset: 32 } })
    const endless = scanJson(bomb.subarray(0, 1_000_000), { maxDepth: Infinity, maxMembers: 2_000_000 })
    expect(endless).toMatchObject({ ok: false, error: { code: 'malformed_json', offset: 1_000_000 } })
    const objects = bytesOf('{"a":'.repeat(100_000))
    expect(scanJson(objects)).toMatchObject({ ok: false, error: { code: 'too_deep', offset: 160 } })
  })

  test('members and elements of all levels are counted together, the root is not', () => {
    expect(outcome('{"a":[1,2],"b":3}', { maxMembers: 4 })).toBe('ok')
    expect(outcome('{"a":[1,2],"b":3}', { maxMembers: 3 })).toBe('too_many_members 11 /b')
    expect(outcome('{"a":[1,2],"b":3}', { maxMembers: 2 })).toBe('too_many_members 8 /a/1')
    expect(outcome('1', { maxMembers: 0 })).toBe('ok')
    const zeros = (count: number): string => `[${Array.from({ length: count }, () => 0).join(',')}]`
    expect(outcome(zeros(10_000))).toBe('ok')
    expect(outcome(zeros(10_001))).toBe('too_many_members 20001 /10000')
  })

  test('an error does not echo a long name back', () => {
    const result = scanJson(bytesOf(`{"a":{"${'x'.repeat(100_000)}":{"b":?}}}`))
    expect(result).toMatchObject({ ok: false, error: { path: '/a' } })
  })

  test('impossible options are a bug of the caller', () => {
    expect(() => scanJson(bytesOf('1'), { end: 2 })).toThrow(RangeError)
    expect(() => scanJson(bytesOf('1'), { start: 1, end: 0 })).toThrow(RangeError)
    expect(() => scanJson(bytesOf('1'), { maxDepth: Number.NaN })).toThrow(RangeError)
  })
})

test('only the bytes from start to end are read, offsets count from the first byte', () => {
  expect(outcome('xx[1]yy', { start: 2, end: 5 })).toBe('ok')
  expect(outcome('xx[1]yy', { start: 2, end: 6 })).toBe('malformed_json 5 ')
  expect(outcome('xx[1]yy', { start: 2, end: 4 })).toBe('malformed_json 4 ')
  expect(outcome('"\\u1234"', { start: 0, end: 5 })).toBe('malformed_json 1 ')
  expect(outcome('true', { start: 0, end: 3 })).toBe('malformed_json 0 ')
  expect(outcome('12', { start: 0, end: 1 })).toBe('ok')
})

test('indexes made one after the other do not disturb each other', () => {
  const texts = Array.from({ length: 3_000 }, (_, index) => `{"n":[${index},"${index}"],"m":{"k":${index}}}`)
  texts.splice(1_000, 0, `[${texts.slice(0, 1_500).join(',')}]`)
  const made = texts.map((text) => scanJson(bytesOf(text), { maxMembers: 100_000 }))
  for (const [index, result] of made.entries()) {
    if (!result.ok) throw new Error(result.error.message)
    expect(result.json.value(result.json.root)).toEqual(JSON.parse(texts[index] as string))
    expect(result.json.start(result.json.nodeCount - 1)).toBeGreaterThan(0)
    const last = result.json.nodeCount - 1
    expect(result.json.pointer(last)).toBe(index === 1_000 ? '/1499/m/k' : '/m/k')
  }
})
