import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nearest } from './nearest.ts'

const NAMES = ['run_id', 'task_id', 'tenant_id', 'metadata', 'data', 'type']

describe('nearest', () => {
  it('finds the name that was probably meant', () => {
    expect(nearest('runid', NAMES)).toBe('run_id')
    expect(nearest('tenantid', NAMES)).toBe('tenant_id')
    expect(nearest('metdata', NAMES)).toBe('metadata')
    expect(nearest('typ', NAMES)).toBe('type')
    expect(nearest('data', NAMES)).toBe('data')
  })

  it('suggests nothing where nothing is close', () => {
    for (const written of ['', 'x', 'zzz', 'webhook', '$', 'constructor']) expect(nearest(written, NAMES)).toBeNull()
    expect(nearest('type', [])).toBeNull()
  })

  it('does not compare what is far too long', () => {
    expect(nearest(`${'x'.repeat(98)}abc`, ['x'.repeat(98)])).toBeNull()
    expect(nearest('x'.repeat(97), ['x'.repeat(98)])).toBe('x'.repeat(98))
  })

  it('takes the closest, and the first of several that are as close', () => {
    expect(nearest('abcdef', ['abcxyz', 'abcdxf', 'abcdeg'])).toBe('abcdxf')
    expect(nearest('abcdef', ['abcxyz', 'abcdef'])).toBe('abcdef')
  })

  it('is at most three letters and half of the word away, for any words', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 })
    fc.assert(
      fc.property(word, fc.array(word, { maxLength: 5 }), (written, names) => {
        const distances = names.map((name) => distance(written, name))
        const least = Math.min(...distances)
        const close = least <= 3 && least <= Math.floor(written.length / 2)
        expect(nearest(written, names)).toBe(close ? names[distances.indexOf(least)] : null)
      }),
    )
  })
})

/** Levenshtein distance by its definition. */
function distance(from: string, to: string): number {
  if (from === '' || to === '') return from.length + to.length
  if (from[0] === to[0]) return distance(from.slice(1), to.slice(1))
  const drop = distance(from.slice(1), to)
  const insert = distance(from, to.slice(1))
  const change = distance(from.slice(1), to.slice(1))
  return 1 + Math.min(drop, insert, change)
}
