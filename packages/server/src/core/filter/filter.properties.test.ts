import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { accepted, event } from '../../../test/checked.ts'
import { matchesFilter } from './match-filter.ts'
import { readFilter } from './read-filter.ts'

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** The value a pointer leads to, in a parsed event. */
function valueAt(root: Json, pointer: string): Json | undefined {
  let at: Json | undefined = root
  for (const part of pointer.slice(1).split('/')) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof at !== 'object' || at === null || Array.isArray(at) || !Object.hasOwn(at, name)) return undefined
    at = at[name]
  }
  return at
}

/** The rules of docs/filters.md again, over what `JSON.parse` makes of the filter and the event. */
function passes(filter: Json, root: Json): boolean {
  return Object.entries(filter as Record<string, Json>).every(([name, inner]) => {
    if (name === 'all') return (inner as Json[]).every((part) => passes(part, root))
    if (name === 'any') return (inner as Json[]).some((part) => passes(part, root))
    if (name === 'not') return !passes(inner, root)
    return holds(inner, valueAt(root, name))
  })
}

function holds(condition: Json, value: Json | undefined): boolean {
  const isScalar = value !== undefined && (typeof value !== 'object' || value === null)
  if (Array.isArray(condition)) return isScalar && condition.some((one) => one === value)
  if (typeof condition !== 'object' || condition === null) return isScalar && condition === value
  return Object.entries(condition).every(([op, operand]) => {
    if (op === 'eq' || op === 'in') return holds(operand, value)
    if (op === 'exists') return operand === (value !== undefined)
    if (op === 'not') return !holds(operand, value)
    if (op === 'prefix') return typeof value === 'string' && value.indexOf(operand as string) === 0
    if (typeof value !== 'number') return false
    const difference = value - (operand as number)
    return { gt: difference > 0, gte: difference >= 0, lt: difference < 0, lte: difference <= 0 }[op]
  })
}

const NAMES = ['a', 'b', 'ü', 'a/b', '~', '__proto__', 'constructor', '']
const name = fc.constantFrom(...NAMES)
const scalar = fc.oneof(
  fc.constantFrom<Json>(
    null,
    true,
    false,
    '',
    'a',
    'ab',
    'é',
    '\u0065\u0301',
    '𝒳',
    '0',
    0,
    1,
    -1,
    1.5,
    1e-7,
    2 ** 53 - 1,
  ),
  fc.string({ unit: 'grapheme', maxLength: 3 }),
  fc.integer({ min: -3, max: 3 }),
)
const object = (value: fc.Arbitrary<Json>): fc.Arbitrary<{ [name: string]: Json }> =>
  // Entries, since an object literal with the member __proto__ would have a prototype instead.
  fc.array(fc.tuple(name, value), { maxLength: 12 }).map((entries) => Object.fromEntries(entries))
const { data } = fc.letrec<{ data: { [name: string]: Json }; value: Json }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, scalar, fc.array(scalar, { maxLength: 2 }), object(tie('value'))),
  data: object(tie('value')),
}))

const escaped = (part: string) => part.replaceAll('~', '~0').replaceAll('/', '~1')
const pointer = fc
  .oneof(
    {
      weight: 6,
      arbitrary: fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `/data/${names.map(escaped).join('/')}`),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom('/type', '/run_id', '/task_id', '/agent/id', '/metadata/plan', '/metadata/x'),
    },
  )
  .filter((text) => text !== '/data/')

const number = fc.constantFrom(-1, 0, 1, 1.5, 2)
const operators = fc
  .record(
    {
      eq: scalar,
      prefix: fc.constantFrom('a', 'é', '0'),
      exists: fc.boolean(),
      gt: number,
      lte: number,
      in: fc.array(scalar, { minLength: 1, maxLength: 3 }),
    },
    { requiredKeys: [] },
  )
  .filter((all) => Object.keys(all).length > 0)
const plain = fc.oneof(scalar, fc.array(scalar, { minLength: 1, maxLength: 3 }), operators)
const condition = fc.oneof(
  plain,
  plain.map((inner): Json => ({ not: inner })),
)
const fields = fc.dictionary(pointer, condition, { minKeys: 1, maxKeys: 3 }) as fc.Arbitrary<Json>
const group = (inner: fc.Arbitrary<Json>): fc.Arbitrary<Json> =>
  fc.oneof(
    fields,
    fc.record({ any: fc.array(inner, { minLength: 1, maxLength: 3 }) }),
    fc.record({ all: fc.array(inner, { minLength: 1, maxLength: 2 }) }),
    inner.map((of): Json => ({ not: of })),
  )
const filter = group(group(fields))

describe('a filter on the scanned event', () => {
  it('decides as a naive evaluator does over parsed values', () => {
    let passed = 0
    fc.assert(
      fc.property(filter, data, (written, payload) => {
        const source = JSON.stringify(event({ type: 'acme.a', data: payload, metadata: { plan: 'a' } }))
        const read = readFilter(written)
        if (!read.ok) throw new Error(JSON.stringify(read.errors))
        const expected = passes(written, JSON.parse(source) as Json)
        if (expected) passed += 1
        const { bodies } = accepted(source)
        expect(matchesFilter(read.filter, bodies.view())).toBe(expected)
        // After it has let go of its index, as before a second match.
        bodies.release()
        expect(matchesFilter(read.filter, bodies.view())).toBe(expected)
      }),
      { numRuns: 400 },
    )
    expect(passed).toBeGreaterThan(30)
  })

  it('is read or refused with a path into it, whatever it is, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue({ maxDepth: 8 }), fc.anything({ maxDepth: 4 })), (value) => {
        if (typeof value === 'bigint') return
        const read = readFilter(
          JSON.parse(JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? 1 : inner)) ?? 'null'),
        )
        if (!read.ok)
          for (const { path, message } of read.errors) expect([path[0] ?? '/', message.length > 5]).toEqual(['/', true])
      }),
      { numRuns: 400 },
    )
  })
})
