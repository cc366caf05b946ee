import { describe, expect, it } from 'vitest'
import { object, text, type Schema } from '../../test/schema-pairs.ts'
import type { TypeDefinition } from './own-type.ts'
import { registerType, registerVersion, type Registering, type VersionInput } from './register.ts'

const FACTS = { fact: 'An invoice was drafted.', runScoped: false, enforcement: 'enforce', lifecycle: 'warn' } as const
const STATUS = { enum: ['open', 'paid'], 'x-data-class': 'public' }
const NOTE = { type: 'string', 'x-data-class': 'prompt' }
const V1 = object({ amount: text, status: STATUS, note: NOTE }, ['amount', 'status'])
const V2 = object({ total: text, status: { ...STATUS, enum: ['open', 'paid', 'disputed'] }, note: NOTE }, [
  'total',
  'status',
])
const RENAME = { op: 'rename', path: '/total', to: 'amount' }
const MAP = { op: 'map', path: '/status', values: { disputed: 'open' } }

const input = (
  schema: Schema,
  examples: Record<string, unknown>[],
  more: Partial<VersionInput> = {},
): VersionInput => ({
  version: null,
  schema,
  down: null,
  examples,
  ...more,
})
const first = () =>
  registered(registerType('acme.invoice.drafted', FACTS, input(V1, [{ amount: '1', status: 'open' }]), 1))
const second = (down: unknown, examples = [{ total: '1', status: 'open' }]) =>
  registerVersion(first(), input(V2, examples, { version: 2, down }), 2)

function registered(result: Registering): TypeDefinition {
  if (!result.ok) throw new Error(JSON.stringify(result.errors))
  return result.definition
}
const errorsOf = (result: Registering) =>
  result.ok ? [] : result.errors.map(({ path, message }) => `${path} ${message}`)

describe('a new type', () => {
  it('has one version, without a conversion', () => {
    expect(first()).toMatchObject({ ...FACTS, versions: [{ version: 1, down: null, publishedAt: 1, changedAt: 1 }] })
  })

  it.each<[string, Partial<VersionInput>, string]>([
    ['begins with another version', { version: 2 }, '/version'],
    ['has a conversion', { down: [] }, '/down_conversion'],
    ['has no example', { examples: [] }, '/examples'],
    ['has 21 examples', { examples: Array.from({ length: 21 }, () => ({ amount: '1', status: 'open' })) }, '/examples'],
    ['has an example that is wrong', { examples: [{ amount: 1, status: 'open' }] }, '/examples/0/amount'],
    ['has an example with an unknown field', { examples: [{ amount: '1', status: 'open', x: 1 }] }, '/examples/0'],
    ['has a schema without classes', { schema: object({ amount: { type: 'string' } }) }, '/schema/properties/amount'],
    ['has a schema of more than 64 KiB', { schema: { ...V1, description: 'x'.repeat(65_536) } }, '/schema'],
    [
      'has a schema that is none',
      { schema: object({ a: { ...text, maxLength: 'long' } }) },
      '/schema/properties/a/maxLength must be',
    ],
    [
      'has a type that is none',
      { schema: object({ a: { ...text, type: 'strin' } }) },
      '/schema/properties/a/type must be',
    ],
  ])('is refused where it %s', (_what, change, path) => {
    const result = registerType(
      'acme.invoice.drafted',
      FACTS,
      { ...input(V1, [{ amount: '1', status: 'open' }]), ...change },
      1,
    )
    expect(errorsOf(result).join('\n')).toContain(path)
  })

  it('is refused where an example cannot be read as an event’s data is', () => {
    let deep: Record<string, unknown> = {}
    for (let depth = 0; depth < 80; depth++) deep = { deep }
    const schema = object({ tree: { type: 'object', 'x-data-class': 'public' } })
    const result = registerType('acme.invoice.drafted', FACTS, input(schema, [{ tree: deep }]), 1)
    expect(errorsOf(result).join('\n')).toContain('/examples/0')
  })
})

describe('the current version', () => {
  const extended = object({ ...(V1['properties'] as object), extra: text }, ['amount', 'status'])

  it('stays what it is when it comes again', () => {
    const again = registerVersion(first(), input(V1, [{ amount: '1', status: 'open' }], { version: 1 }), 9)
    expect(again).toMatchObject({ ok: true, outcome: 'unchanged', definition: first() })
  })

  it.each([null, 1])('gains an optional field and stays the same version (%s)', (version) => {
    const result = registerVersion(
      first(),
      input(extended, [{ amount: '1', status: 'open', extra: 'x' }], { version }),
      5,
    )
    expect(result).toMatchObject({ ok: true, outcome: 'extended' })
    expect(registered(result).versions).toMatchObject([{ version: 1, publishedAt: 1, changedAt: 5, schema: extended }])
  })

  it('can have other words and examples', () => {
    const described = { ...V1, description: 'An invoice.' }
    const result = registerVersion(first(), input(described, [{ amount: '2', status: 'paid' }]), 5)
    expect(registered(result).versions).toMatchObject([{ version: 1, changedAt: 1, schema: described }])
  })

  it.each<[string, Schema, string]>([
    ['loses a field', object({ amount: text, status: STATUS }, ['amount', 'status']), '/data/note'],
    [
      'gets a word more',
      object({ ...(V1['properties'] as object), status: { ...STATUS, enum: ['open', 'paid', 'x'] } }, [
        'amount',
        'status',
      ]),
      '/data/status',
    ],
    [
      'gets a tighter bound, which producers would run into',
      object({ ...(V1['properties'] as object), amount: { ...text, maxLength: 3 } }, ['amount', 'status']),
      '/data/amount',
    ],
    [
      'gets a field that producers must send',
      object({ ...(V1['properties'] as object), extra: text }, ['amount', 'status', 'extra']),
      '/data/extra',
    ],
    [
      'gets another class',
      object({ ...(V1['properties'] as object), note: { ...NOTE, 'x-data-class': 'public' } }, ['amount', 'status']),
      '/data/note',
    ],
  ])('is not changed in place where it %s', (_what, schema, path) => {
    const result = registerVersion(
      first(),
      input(schema, [{ amount: '1', status: 'open', extra: 'x' }], { version: 1 }),
      5,
    )
    expect(errorsOf(result).join('\n')).toContain(path)
    if (!result.ok) expect(result.fix).toContain('Publish it as version 2')
  })
})

describe('the next version', () => {
  it('comes with what turns it into the one before', () => {
    const result = second([RENAME, MAP])
    expect(result).toMatchObject({ ok: true, outcome: 'new_version' })
    expect(registered(result).versions.map(({ version, down }) => [version, down])).toEqual([
      [1, null],
      [2, [RENAME, MAP]],
    ])
  })

  it('is what a breaking schema without a number becomes', () => {
    const result = registerVersion(first(), input(V2, [{ total: '1', status: 'open' }], { down: [RENAME, MAP] }), 2)
    expect(result).toMatchObject({ ok: true, outcome: 'new_version' })
  })

  it.each<[string, unknown, string]>([
    ['without a conversion', null, '/down_conversion is required'],
    ['with an empty one', [], 'wrong at /amount'],
    ['with half of one', [MAP], 'wrong at /amount'],
    ['that forgets a word no example has', [RENAME], 'with another value at /status'],
    ['with one that cannot be read', [{ op: 'rename', path: 'total', to: 'amount' }], '/down_conversion/0/path'],
  ])('is refused %s', (_what, down, message) => {
    expect(errorsOf(second(down)).join('\n')).toContain(message)
  })

  it('is refused where it fails only for those who may not see everything', () => {
    // Moved out of a field that is not granted to everybody into one that is required by version 1.
    const schema = object({ inner: { type: 'string', 'x-data-class': 'prompt' }, status: STATUS, note: NOTE }, [
      'status',
    ])
    const down = [{ op: 'rename', path: '/inner', to: 'amount' }]
    const result = registerVersion(first(), input(schema, [{ inner: '1', status: 'open' }], { version: 2, down }), 2)
    expect(errorsOf(result).join('\n')).toContain('/amount')
  })

  it('may leave out what a default stands in for', () => {
    const schema = object({ ...(V1['properties'] as object) }, ['status'])
    const without = registerVersion(
      first(),
      input(schema, [{ amount: '1', status: 'open' }], { version: 2, down: [] }),
      2,
    )
    expect(errorsOf(without).join('\n')).toContain('with another value at /amount')
    const down = [{ op: 'constant', path: '/amount', value: '0', only_if_absent: true }]
    expect(registerVersion(first(), input(schema, [{ amount: '1', status: 'open' }], { version: 2, down }), 2).ok).toBe(
      true,
    )
  })

  it('leaves the versions before it as they are', () => {
    const both = registered(second([RENAME, MAP]))
    const changed = registerVersion(both, input(V2, [{ total: '1', status: 'open' }], { version: 1, down: [] }), 3)
    expect(errorsOf(changed).join('\n')).toContain('cannot change')
    const same = registerVersion(both, input(V1, [{ amount: '1', status: 'open' }], { version: 1 }), 3)
    expect(same).toMatchObject({ ok: true, outcome: 'unchanged' })
    const skipped = registerVersion(both, input(V2, [{ total: '1', status: 'open' }], { version: 4, down: [] }), 3)
    expect(errorsOf(skipped).join('\n')).toContain('/version')
  })

  it('is at most the fiftieth', () => {
    let type = first()
    for (let version = 2; version <= 50; version++) {
      type = registered(
        registerVersion(type, input(V1, [{ amount: '1', status: 'open' }], { version, down: [] }), version),
      )
    }
    const more = registerVersion(type, input(V1, [{ amount: '1', status: 'open' }], { version: 51, down: [] }), 51)
    expect(errorsOf(more).join('\n')).toContain('at most 50')
  })
})
