import { describe, expect, it } from 'vitest'
import { scanJson } from '../json-scan.ts'
import { conditionsOf } from './filter.ts'
import { readFilter } from './read-filter.ts'

/** As it comes in: scanned, never parsed. */
function read(text: string) {
  const scan = scanJson(Buffer.from(text))
  if (!scan.ok) throw new Error(scan.error.message)
  return readFilter(scan.json.value(0))
}

function errorsOf(text: string) {
  const result = read(text)
  return result.ok ? [] : result.errors
}

const nested = (levels: number): string => (levels === 1 ? '{"/type":"a.b"}' : `{"not":${nested(levels - 1)}}`)
const many = (count: number) => `{${Array.from({ length: count }, (_, index) => `"/data/f${index}":1`).join()}}`

describe('a filter that is not in order is refused with the place and what is wrong', () => {
  it.each([
    ['null', '', /object of conditions/],
    ['[]', '', /object of conditions/],
    ['{}', '', /no condition/],
    ['{"any":[]}', '/any', /list of at least one/],
    ['{"any":{"/type":"a"}}', '/any', /list of at least one/],
    ['{"all":[{"/type":"a"},7]}', '/all/1', /object of conditions/],
    ['{"not":{}}', '/not', /no condition/],
    ['{"/data/a":{}}', '/~1data~1a', /no operator/],
    ['{"/data/a":[]}', '/~1data~1a', /at least one value/],
    ['{"/data/a":[[1]]}', '/~1data~1a/0', /a text, a number/],
    ['{"/data/a":{"in":"x"}}', '/~1data~1a/in', /list of values/],
    ['{"/data/a":{"prefix":""}}', '/~1data~1a/prefix', /at least one character/],
    ['{"/data/a":{"exists":1}}', '/~1data~1a/exists', /true or false/],
    ['{"/data/a":{"gt":"1"}}', '/~1data~1a/gt', /is a number/],
    ['{"/data/a":{"regex":"(a+)+$"}}', '/~1data~1a/regex', /no operator/],
    ['{"/data/a":{"not":{"not":1}}}', '/~1data~1a/not/not', /inside another not/],
    ['{"/data/a":{"__proto__":1}}', '/~1data~1a/__proto__', /no operator/],
    ['{"__proto__":{"/type":"a"}}', '/__proto__', /neither a field/],
    ['{"constructor":1}', '/constructor', /neither a field/],
    ['{"/data/a":1e400}', '/~1data~1a', /too large/],
    ['{"/data/a":{"lt":9007199254740993}}', '/~1data~1a/lt', /too large/],
    ['{"/data":1}', '/~1data', /no field of the envelope/],
    ['{"/data/":1}', '/~1data~1', /no field of the envelope/],
    ['{"/agent/name":"x"}', '/~1agent~1name', /class operational/],
    ['{"/sequence":1}', '/~1sequence', /after it was matched/],
    ['{"/data/a\\"b":1}', '/~1data~1a"b', /no JSON Pointer/],
    ['{"/data/a\\\\":1}', '/~1data~1a\\', /no JSON Pointer/],
    ['{"/data/a~2":1}', '/~1data~1a~02', /no JSON Pointer/],
    [nested(6), '/not/not/not/not/not', /more than 5 levels/],
    [nested(30), '', /more than 5 levels/],
    [many(51), '', /51 conditions/],
    [`{"/data/a":"${'x'.repeat(4100)}"}`, '', /more than the 4096/],
    [`{"/data/a":"${'ü'.repeat(2050)}"}`, '', /more than the 4096/],
  ])('%s', (text, path, message) => {
    const errors = errorsOf(text)
    expect(errors[0]).toMatchObject({ path, message: expect.stringMatching(message) })
  })

  it('with a suggestion where one can be made', () => {
    expect(errorsOf('{"data.status":"failed"}')[0]?.suggested_fix).toBe('Write "/data/status".')
    expect(errorsOf('{"/typ":"a.b"}')[0]?.suggested_fix).toBe('Use "/type".')
    expect(errorsOf('{"/status":"a.b"}')[0]?.suggested_fix).toBe('Fields of the payload are written /data/status.')
    expect(errorsOf('{"/data/a":{"prefx":"a"}}')[0]?.suggested_fix).toBe('Use "prefix".')
  })

  it('names at most 20 places, each with a short path', () => {
    const long = 'x'.repeat(60)
    const errors = errorsOf(`{${Array.from({ length: 40 }, (_, index) => `"${long}${index}":1`).join()}}`)
    expect(errors).toHaveLength(20)
    const [first] = errorsOf(`{"${'y'.repeat(3000)}":1}`)
    expect(first?.path.length).toBeLessThan(110)
  })
})

describe('a filter at its limits', () => {
  it.each([[nested(5)], [many(50)], [`{"/data/a":"${'x'.repeat(4096 - 14)}"}`], ['{"/data/a":-9007199254740991}']])(
    'is taken',
    (text) => expect(read(text).ok).toBe(true),
  )

  it('has every condition, with its place', () => {
    const result = read('{"/type":"a.b","any":[{"/data/x":1},{"not":{"/metadata/a.b~1c":["p"]}}]}')
    expect(result.ok && conditionsOf(result.filter).map(({ path, tokens }) => [path, tokens])).toEqual([
      ['/~1type', ['type']],
      ['/any/0/~1data~1x', ['data', 'x']],
      ['/any/1/not/~1metadata~1a.b~01c', ['metadata', 'a.b/c']],
    ])
  })
})
