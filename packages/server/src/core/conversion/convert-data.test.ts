import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scanJson } from '../json-scan.ts'
import type { ConversionStep } from './conversion-step.ts'
import { convertData } from './convert-data.ts'
import { readConversion } from './read-conversion.ts'

const bytes = (text: string) => Buffer.from(text, 'utf8')
const convert = (data: string, ...steps: ConversionStep[]) =>
  Buffer.from(convertData(bytes(data), steps)).toString('utf8')

describe('a step', () => {
  it.each<[string, string, ConversionStep[], string]>([
    [
      'renames and leaves every other byte',
      '{ "total" : 1.0 ,"x":1E400, "e":"\\u00e9" }',
      [{ op: 'rename', path: '/total', to: 'amount' }],
      '{ "amount" : 1.0 ,"x":1E400, "e":"\\u00e9" }',
    ],
    [
      'renames in a list',
      '{"l":[{"a":1},{"b":2},7,{"a":3}]}',
      [{ op: 'rename', path: '/l/*/a', to: 'z' }],
      '{"l":[{"z":1},{"b":2},7,{"z":3}]}',
    ],
    [
      'renames over a member that is there',
      '{"a":1,"b":2,"c":3}',
      [{ op: 'rename', path: '/a', to: 'b' }],
      '{"b":1,"c":3}',
    ],
    ['renames over a member before it', '{"b":2,"a":1}', [{ op: 'rename', path: '/a', to: 'b' }], '{"b":1}'],
    ['renames to the same name', '{"a":1}', [{ op: 'rename', path: '/a', to: 'a' }], '{"a":1}'],
    ['renames what is spelled with escapes', '{"\\u0061":1}', [{ op: 'rename', path: '/a', to: 'b' }], '{"b":1}'],
    ['renames to a name that needs escapes', '{"a":1}', [{ op: 'rename', path: '/a', to: 'x"y\n' }], '{"x\\"y\\n":1}'],
    [
      'renames names with / and ~',
      '{"a/b":{"c~d":1}}',
      [{ op: 'rename', path: '/a~1b/c~0d', to: 'e' }],
      '{"a/b":{"e":1}}',
    ],
    ['drops the first', '{"a":1,"b":2}', [{ op: 'drop', path: '/a' }], '{"b":2}'],
    ['drops the last', '{"a":1,"b":2}', [{ op: 'drop', path: '/b' }], '{"a":1}'],
    ['drops the only one', '{"a":{"b":2}}', [{ op: 'drop', path: '/a/b' }], '{"a":{}}'],
    [
      'drops from every element',
      '{"l":[{"a":1},{"a":2,"b":3}]}',
      [{ op: 'drop', path: '/l/*/a' }],
      '{"l":[{},{"b":3}]}',
    ],
    ['drops every element', '{"l":[1, 2 ,3]}', [{ op: 'drop', path: '/l/*' }], '{"l":[]}'],
    ['moves out', '{"a":{"b":1.50},"c":2}', [{ op: 'move', from: '/a/b', to: '/d' }], '{"a":{},"c":2,"d":1.50}'],
    ['moves in', '{"b":[1, 2],"a":{}}', [{ op: 'move', from: '/b', to: '/a/b' }], '{"a":{"b":[1, 2]}}'],
    ['moves into what is not there', '{"b":1}', [{ op: 'move', from: '/b', to: '/x/y/z' }], '{"x":{"y":{"z":1}}}'],
    ['moves over what is there', '{"b":1,"a":{"c":2}}', [{ op: 'move', from: '/b', to: '/a/c' }], '{"a":{"c":1}}'],
    ['does not move into itself', '{"a":{"b":1}}', [{ op: 'move', from: '/a', to: '/a/b/c' }], '{"a":{"b":1}}'],
    ['does not move through a text', '{"a":1,"t":"x"}', [{ op: 'move', from: '/a', to: '/t/u' }], '{"a":1,"t":"x"}'],
    ['does not move onto what it is in', '{"a":{"b":1}}', [{ op: 'move', from: '/a/b', to: '/a' }], '{"a":{"b":1}}'],
    ['sets', '{"a":1}', [{ op: 'constant', path: '/b', value: 'x' }], '{"a":1,"b":"x"}'],
    ['sets over what is there', '{"a": {"deep":1} }', [{ op: 'constant', path: '/a', value: null }], '{"a": null }'],
    [
      'sets only where it is not there',
      '{"l":[{"a":7},{}]}',
      [{ op: 'constant', path: '/l/*/a', value: 0, only_if_absent: true }],
      '{"l":[{"a":7},{"a":0}]}',
    ],
    ['sets in an empty object', '{}', [{ op: 'constant', path: '/a', value: false }], '{"a":false}'],
    ['sets nothing in what is no object', '{"a":1}', [{ op: 'constant', path: '/a/b', value: 1 }], '{"a":1}'],
    ['maps words', '{"s":"new"}', [{ op: 'map', path: '/s', values: { new: 'open' } }], '{"s":"open"}'],
    [
      'maps words that are spelled with escapes',
      '{"s":"\\u006eew"}',
      [{ op: 'map', path: '/s', values: { new: 'open' } }],
      '{"s":"open"}',
    ],
    [
      'maps numbers, true and null',
      '{"l":[1,true,null,2]}',
      [{ op: 'map', path: '/l/*', values: { '1': 10, true: false, null: 'none' } }],
      '{"l":[10,false,"none",2]}',
    ],
    [
      'maps numbers by their value, however they are written',
      '{"l":[1.0,1e0,10E-1,-0,1,2.50]}',
      [{ op: 'map', path: '/l/*', values: { '1': 'one', '0': 'none', '2.5': 'more' } }],
      '{"l":["one","one","one","none","one","more"]}',
    ],
    [
      'maps no number to what a double would take it for',
      '{"l":[9007199254740993,1E400,1e-400,0.1000000000000000055]}',
      [{ op: 'map', path: '/l/*', values: { '9007199254740992': 1, Infinity: 2, '0': 3, '0.1': 4 } }],
      '{"l":[9007199254740993,1E400,1e-400,0.1000000000000000055]}',
    ],
    [
      'maps a number that is written as the values have it',
      '{"l":[9007199254740993,1E400]}',
      [{ op: 'map', path: '/l/*', values: { '9007199254740993': 'big', '1E400': 'huge' } }],
      '{"l":["big","huge"]}',
    ],
    [
      'keeps odd white space, numbers and escapes through every kind of step',
      '{\n\t"keep" :\r[ 1.0, -0 , 1E400,"\\u00e9\\/" ] ,"a":{ "b" : 1.50 } , "s" : "new"}',
      [
        { op: 'rename', path: '/a', to: 'c' },
        { op: 'move', from: '/c/b', to: '/d' },
        { op: 'map', path: '/s', values: { new: 'open' } },
        { op: 'constant', path: '/c/x', value: 7 },
        { op: 'drop', path: '/c/x' },
      ],
      '{\n\t"keep" :\r[ 1.0, -0 , 1E400,"\\u00e9\\/" ] ,"c":{  } , "s" : "open","d":1.50}',
    ],
    [
      'renames to and from names that objects of JavaScript have',
      '{"__proto__":1,"constructor":{"a":2}}',
      [
        { op: 'rename', path: '/__proto__', to: 'x' },
        { op: 'rename', path: '/constructor/a', to: '__proto__' },
      ],
      '{"x":1,"constructor":{"__proto__":2}}',
    ],
    [
      'exchanges two members by way of a third name',
      '{"a":1,"b":2}',
      [
        { op: 'rename', path: '/a', to: 'c' },
        { op: 'rename', path: '/b', to: 'a' },
        { op: 'rename', path: '/c', to: 'b' },
      ],
      '{"b":1,"a":2}',
    ],
    [
      'takes * for a name in an object',
      '{"l":{"*":{"a":1},"b":{"a":2}}}',
      [{ op: 'drop', path: '/l/*/a' }],
      '{"l":{"*":{},"b":{"a":2}}}',
    ],
    [
      'leaves words it does not know',
      '{"s":"else"}',
      [{ op: 'map', path: '/s', values: { new: 'open' } }],
      '{"s":"else"}',
    ],
    [
      'maps all others to one',
      '{"s":"else"}',
      [{ op: 'map', path: '/s', values: { new: 'open' }, otherwise: 'other' }],
      '{"s":"other"}',
    ],
    [
      'does not map names of Object.prototype',
      '{"s":"constructor"}',
      [{ op: 'map', path: '/s', values: { new: 'open' } }],
      '{"s":"constructor"}',
    ],
    [
      'does not map objects',
      '{"s":{"new":1}}',
      [{ op: 'map', path: '/s', values: { new: 'open' }, otherwise: 'x' }],
      '{"s":{"new":1}}',
    ],
    [
      'changes nothing where its path leads nowhere',
      '{"a":[1]}',
      [
        { op: 'rename', path: '/b', to: 'c' },
        { op: 'drop', path: '/a/0' },
        { op: 'map', path: '/a/x', values: { '1': 2 } },
        { op: 'move', from: '/z', to: '/y' },
      ],
      '{"a":[1]}',
    ],
    [
      'follows the one before it',
      '{"total":"84","s":"disputed"}',
      [
        { op: 'rename', path: '/total', to: 'amount' },
        { op: 'map', path: '/s', values: { disputed: 'open' } },
        { op: 'move', from: '/amount', to: '/money/amount' },
      ],
      '{"s":"open","money":{"amount":"84"}}',
    ],
  ])('%s', (_what, data, steps, result) => {
    expect(readConversion(steps).ok).toBe(true)
    expect(convert(data, ...steps)).toBe(result)
  })

  it('that would nest too deep changes nothing at all', () => {
    const path = `/x${'/y'.repeat(15)}`
    let data = '{"a":1}'
    for (let depth = 0; depth < 60; depth++) data = `{"a":${data}}`
    expect(convert(data, { op: 'move', from: '/a', to: path }, { op: 'drop', path: '/x' })).toBe(data)
  })
})

describe('steps that make the data grow', () => {
  it.each([1, 2])('beyond 4 MiB change nothing at all, whichever of %i steps is the one', (count) => {
    const data = `{"l":[${Array.from({ length: 9000 }, () => '{}').join()}]}`
    const grow: ConversionStep = { op: 'constant', path: '/l/*/a', value: 'x'.repeat(1000) }
    const after: ConversionStep[] = count === 2 ? [{ op: 'drop', path: '/l' }] : []
    expect(convert(data, { op: 'constant', path: '/b', value: 1 }, grow, ...after)).toBe(data)
  })
})

type Plain = null | boolean | number | string | Plain[] | { [name: string]: Plain }

/** The same on values, as anybody would write it: what the bytes are held against. */
function expected(data: Plain, steps: readonly ConversionStep[]): Plain {
  const value = structuredClone(data)
  for (const step of steps) {
    if (step.op === 'move') continue
    const tokens = step.path.split('/').slice(1)
    const name = tokens.at(-1) as string
    for (const holder of holders(value, tokens.slice(0, -1))) {
      if (Array.isArray(holder) && name === '*' && step.op === 'map') {
        for (const [index, item] of holder.entries()) holder[index] = mapped(item, step)
      }
      if (typeof holder !== 'object' || holder === null || Array.isArray(holder)) continue
      if (step.op === 'constant') holder[name] = step.value
      if (!Object.hasOwn(holder, name)) continue
      if (step.op === 'drop') delete holder[name]
      if (step.op === 'map') holder[name] = mapped(holder[name] as Plain, step)
      if (step.op === 'rename' && step.to !== name) {
        holder[step.to] = holder[name] as Plain
        delete holder[name]
      }
    }
  }
  return value
}

function mapped(value: Plain, { values, otherwise }: Extract<ConversionStep, { op: 'map' }>): Plain {
  if (typeof value === 'object' && value !== null) return value
  const key = String(value)
  return Object.hasOwn(values, key) ? (values[key] as Plain) : (otherwise ?? value)
}

function holders(value: Plain, tokens: readonly string[]): Plain[] {
  const [token, ...rest] = tokens
  if (token === undefined) return [value]
  if (Array.isArray(value)) return token === '*' ? value.flatMap((item) => holders(item, rest)) : []
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, token)) return []
  return holders(value[token] as Plain, rest)
}

const name = fc.constantFrom('a', 'b', 'c')
const { plain } = fc.letrec<{ plain: Plain; object: { [name: string]: Plain } }>((tie) => ({
  plain: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'plain' },
    fc.constantFrom<Plain>(1, 2, 'x', 'y', true, null),
    fc.array(tie('plain'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(name, tie('plain'), { maxKeys: 3, noNullPrototype: true }),
}))
const path = fc
  .tuple(fc.array(fc.oneof(name, fc.constant('*')), { maxLength: 2 }), name)
  .map(([way, last]) => `/${[...way, last].join('/')}`)
const scalar = fc.constantFrom(0, 'x', 'z', false, null)
const step = fc.oneof(
  fc.record({ op: fc.constant('rename' as const), path, to: name }),
  fc.record({ op: fc.constant('drop' as const), path }),
  fc.record({ op: fc.constant('constant' as const), path, value: scalar }),
  fc.record({ op: fc.constant('map' as const), path, values: fc.constant({ x: 'y', '1': 5, true: false }) }),
)
const move = fc.record({
  op: fc.constant('move' as const),
  from: fc.constantFrom('/a', '/a/b', '/b/c', '/c'),
  to: fc.constantFrom('/b', '/a/c', '/c/a/b', '/d'),
})
const object = fc.dictionary(name, plain, { maxKeys: 3, noNullPrototype: true })

describe('whatever the data and the steps', () => {
  it('the bytes say what the same steps make of the values', () => {
    fc.assert(
      fc.property(object, fc.array(step, { maxLength: 4 }), fc.constantFrom(0, 1, 2), (data, steps, indent) => {
        const converted = convert(JSON.stringify(data, null, indent), ...steps)
        expect(JSON.parse(converted)).toEqual(expected(data as Plain, steps))
      }),
      { numRuns: 2000 },
    )
  })

  it('they are JSON without a name twice, also when values move', () => {
    fc.assert(
      fc.property(object, fc.array(fc.oneof(step, move), { minLength: 1, maxLength: 4 }), (data, steps) => {
        const converted = convertData(bytes(JSON.stringify(data)), steps)
        expect(scanJson(converted).ok).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  it('nothing is lost or made when values only move', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.array(move, { maxLength: 4 }), (one, other, steps) => {
        const converted = convert(JSON.stringify({ a: one, e: other }), ...steps)
        expect([...converted.matchAll(/-?\d+/g)].map(([digits]) => Number(digits)).toSorted((x, y) => x - y)).toEqual(
          [one, other].toSorted((x, y) => x - y),
        )
      }),
    )
  })
})
