import { describe, expect, it } from 'vitest'
import { readConversion } from './read-conversion.ts'

describe('what a producer declares', () => {
  it.each<[unknown, string]>([
    [{}, ''],
    ['rename', ''],
    [Array.from({ length: 101 }, () => ({ op: 'drop', path: '/a' })), ''],
    [[null], '/0'],
    [[{ op: 'eval', code: '1' }], '/0/op'],
    [[{ op: 'constructor', path: '/a' }], '/0/op'],
    [[{ op: 'rename', path: '/a' }], '/0/to'],
    [[{ op: 'rename', path: '/a', to: '' }], '/0/to'],
    [[{ op: 'rename', path: '/a', to: 'b', also: 1 }], '/0/also'],
    [[{ op: 'rename', path: '/l/*', to: 'b' }], '/0/path'],
    [[{ op: 'drop', path: 'a' }], '/0/path'],
    [[{ op: 'drop', path: '' }], '/0/path'],
    [[{ op: 'drop', path: '/a~2' }], '/0/path'],
    [[{ op: 'drop', path: '/a'.repeat(17) }], '/0/path'],
    [[{ op: 'move', from: '/l/*/a', to: '/b' }], '/0/from'],
    [[{ op: 'constant', path: '/a', value: { deep: 1 } }], '/0/value'],
    [[{ op: 'constant', path: '/a', value: 'x'.repeat(1001) }], '/0/value'],
    [[{ op: 'constant', path: '/a', value: 1, only_if_absent: 'yes' }], '/0/only_if_absent'],
    [[{ op: 'constant', path: '/a', value: 1, only_if_absent: null }], '/0/only_if_absent'],
    [[{ op: 'constant', path: '/l/*', value: 1 }], '/0/path'],
    [[{ op: 'constant', path: '/a' }], '/0/value'],
    [[{ op: 'rename', path: '/a', to: '*' }], '/0/to'],
    [[{ op: 'rename', path: '/a', to: 'x'.repeat(129) }], '/0/to'],
    [[{ op: 'move', from: '/a', to: '/l/*' }], '/0/to'],
    [[{ op: 'drop', path: '/a//b' }], '/0/path'],
    [[{ op: 'drop', path: 7 }], '/0/path'],
    [[{ op: 'map', path: '/a', values: {} }], '/0/values'],
    [[{ op: 'map', path: '/a', values: ['a'] }], '/0/values'],
    [
      [{ op: 'map', path: '/a', values: Object.fromEntries(Array.from({ length: 201 }, (_, n) => [n, n])) }],
      '/0/values',
    ],
    [[{ op: 'map', path: '/a', values: { x: [1] } }], '/0/values'],
    [
      [
        { op: 'drop', path: '/a' },
        { op: 'map', path: '/a', values: { x: 1 }, otherwise: [] },
      ],
      '/1/otherwise',
    ],
  ])('is refused where it is wrong: %j', (declared, at) => {
    const read = readConversion(declared)
    expect(read.ok ? [] : read.errors.map((error) => error.path)).toContain(at)
  })

  it('is read as it was written, up to the limits', () => {
    const steps = [
      { op: 'rename', path: '/l/*/a~1b', to: 'x'.repeat(128) },
      { op: 'move', from: '/a', to: `${'/b'.repeat(15)}/c` },
      { op: 'drop', path: '/l/*' },
      { op: 'constant', path: '/a', value: 'x'.repeat(1000), only_if_absent: true },
      { op: 'constant', path: '/b', value: null },
      { op: 'map', path: '/s', values: { a: 'b', '1': true, null: 0 }, otherwise: null },
    ]
    expect(readConversion(steps)).toEqual({ ok: true, steps })
    expect(readConversion([])).toEqual({ ok: true, steps: [] })
    expect(readConversion(Array.from({ length: 100 }, () => ({ op: 'drop', path: '/a' }))).ok).toBe(true)
  })

  it('is refused with every place that is wrong', () => {
    const read = readConversion([{ op: 'move', from: 'a', to: '' }, { op: 'drop' }])
    expect(read.ok ? [] : read.errors.map(({ path }) => path)).toEqual(['/0/from', '/0/to', '/1/path'])
  })
})
