import { describe, expect, test } from 'vitest'
import { findDuplicateKey } from './json-duplicate-keys.ts'
import { JsonIndex } from './json-index.ts'
import { ScanPass } from './json-scan-pass.ts'
import { decodeUtf8 } from './json-utf8.ts'

const encoder = new TextEncoder()

/** The first repeated member's position and how many comparisons that took. */
function search(names: readonly string[]): { position: number; comparisons: number } {
  const bytes = encoder.encode(`{${names.map((name) => `${JSON.stringify(name)}:0`).join(',')}}`)
  const pass = new ScanPass(bytes, bytes.length, 1, 100_000)
  expect(pass.run(0)).toBe(bytes.length)
  const work = { comparisons: 0 }
  const json = new JsonIndex(bytes, pass.finish(), decodeUtf8)
  const node = findDuplicateKey(json, work)
  return { position: node === -1 ? -1 : json.position(node), comparisons: work.comparisons }
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `key_${index}`)

/** One step of FNV-1a as the checker takes it, on all 32 bits: equal there means equal in its 29. */
const step = (hash: number, unit: number): number => Math.imul(hash ^ unit, 0x01000193)

/** The n-th of 2^32 blocks of three characters, spread out: blocks in a row would differ in too few bits to collide. */
function unitsOf(n: number): [number, number, number] {
  const spread = Math.imul(n, 0x9e3779b1)
  return [0x3000 + (spread & 0x7ff), 0x3000 + ((spread >>> 11) & 0x7ff), 0x3000 + (spread >>> 22)]
}

/**
 * 2^stages names of one hash: two blocks that collide from the same state can be exchanged at every stage (Joux 2004).
 * Finding them takes about 80,000 trials a stage, so an attacker has them in no time.
 */
function collidingNames(stages: number): string[] {
  let names = ['']
  let state = 0x811c9dc5 | 0
  for (let stage = 0; stage < stages; stage += 1) {
    const seen = new Map<number, number>()
    for (let trial = 0; ; trial += 1) {
      const units = unitsOf(trial)
      const hash = units.reduce(step, state)
      const other = seen.get(hash)
      if (other !== undefined) {
        const blocks = [String.fromCharCode(...unitsOf(other)), String.fromCharCode(...units)]
        names = names.flatMap((name) => blocks.map((block) => name + block))
        state = hash
        break
      }
      seen.set(hash, trial)
    }
  }
  return names
}

describe('finds the first member whose name came before', () => {
  test.each([2, 3, 23, 24, 25, 26, 200])('among %i members, wherever the two are', (count) => {
    const names = numbered(count)
    expect(search(names).position).toBe(-1)
    for (const [first, second] of [
      [0, 1],
      [0, count - 1],
      [count - 2, count - 1],
      [count >> 1, count - 1],
    ] as const) {
      if (first === second) continue
      expect(search(names.with(second, names[first] as string)).position).toBe(second)
    }
  })

  test('the earliest of several', () => {
    expect(search(['a', 'b', 'c', 'b', 'a', 'b']).position).toBe(3)
    const names = numbered(100)
    expect(search([...names, 'key_70', 'key_3', 'key_70']).position).toBe(100)
  })

  test('names that differ only where no fingerprint looks, or are prefixes of each other', () => {
    expect(search(['aXbbc', 'aYbbc', 'aZbbc', 'abc', 'ab', 'a', '']).position).toBe(-1)
    expect(search(['aXbbc', 'aYbbc', 'aXbbc']).position).toBe(2)
    // Lengths 256 apart have the same fingerprint.
    expect(search(['x'.repeat(10), 'x'.repeat(266), 'x'.repeat(522)]).position).toBe(-1)
  })

  test('names that look like array indexes or escape to the same text', () => {
    expect(search(['1', '01', '1.0', '1']).position).toBe(3)
    expect(search(['"', '\\"', '\\', '"']).position).toBe(3)
  })
})

describe('work', () => {
  test('10,000 ordinary names need next to no comparisons, and ten times the names no more than ten times the work', () => {
    expect(search(numbered(10_000)).comparisons).toBeLessThan(1_000)
    expect(search(numbered(100_000)).comparisons).toBeLessThan(10_000)
  })

  test('names of one hash cost n log n, not n squared', () => {
    const names = collidingNames(13)
    expect(names.length).toBe(8_192)
    expect(new Set(names).size).toBe(8_192)
    const { position, comparisons } = search(names)
    expect(position).toBe(-1)
    // At least n - 1 shows that they did collide; n log2 n is 106,496, n squared 67,108,864.
    expect(comparisons).toBeGreaterThan(8_190)
    expect(comparisons).toBeLessThan(8_192 * 16)
    expect(search([...names, names[17] as string]).position).toBe(8_192)
  })

  test('many small objects cost in all at most 23 comparisons a member', () => {
    expect(search(numbered(24)).comparisons).toBeLessThanOrEqual((24 * 23) / 2)
  })
})
