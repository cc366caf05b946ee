import fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import { hasUniqueItems } from './unique-items.ts'

describe('elements that are all different', () => {
  it.each<[unknown[]]>([
    [[]],
    [[1, '1', true, 'true', null, 'null', [], {}]],
    [[[1], ['1'], [[1]]]],
    [[['a', 'b'], ['a,b'], ['a","b']]],
    [[{ a: 1 }, { a: '1' }, { b: 1 }, { a: 1, b: 1 }, { 'a":1,"b': 1 }]],
    [['n1', 1]],
    [['é', 'e\u0301']],
  ])('are %j', (items) => {
    expect(hasUniqueItems(items)).toBe(true)
  })

  it.each<[unknown[]]>([
    [[1, 2, 1]],
    [[0, -0]],
    [[{ a: 1, b: [2] }, 'x', { b: [2], a: 1 }]],
    [[[{ a: 1, b: 2 }], [{ b: 2, a: 1 }]]],
    [[null, null]],
  ])('are not %j', (items) => {
    expect(hasUniqueItems(items)).toBe(false)
  })

  it('are so where no two are deeply equal', () => {
    const value = fc.jsonValue({ maxDepth: 2 }).map((found): unknown => JSON.parse(JSON.stringify(found)))
    fc.assert(
      fc.property(fc.array(value, { maxLength: 6 }), fc.boolean(), (some, twice) => {
        const items = twice ? [...some, ...structuredClone(some.slice(0, 1))] : some
        const isTwice = items.some((one, at) => items.some((other, to) => to > at && isDeepStrictEqual(one, other)))
        expect(hasUniqueItems(items)).toBe(!isTwice)
      }),
    )
  })
})
