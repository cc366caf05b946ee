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

  it('has a schema of at most 64 KiB of UTF-8 and at most 20 examples', () => {
    const sized = (fill: string, count: number) => ({ ...V1, description: fill.repeat(count) })
    const room = 65_536 - JSON.stringify(sized('', 0)).length
    const of = (schema: Schema, count = 1) => {
      const examples = Array.from({ length: count }, () => ({ amount: '1', status: 'open' }))
      return registerType('acme.invoice.drafted', FACTS, input(schema, examples), 1)
    }
    expect(of(sized('x', room)).ok).toBe(true)
    expect(errorsOf(of(sized('x', room + 1)))).toEqual(['/schema has more than 64 KiB'])
    expect(errorsOf(of(sized('é', Math.ceil(room / 2) + 1)))).toEqual(['/schema has more than 64 KiB'])
    expect(of(V1, 20).ok).toBe(true)
    expect(errorsOf(of(V1, 21))).toEqual(['/examples are 1 to 20 data objects'])
  })

  it('is refused with a better name where it has none of a fact', () => {
    const result = registerType('acme.send_invoice', FACTS, input(V1, [{ amount: '1', status: 'open' }]), 1)
    const errors = [{ path: '/type', suggested_fix: 'Use "acme.invoice.sent".' }]
    expect(result).toMatchObject({ ok: false, errors })
  })

  it('is refused where an example is text that is no Unicode', () => {
    const result = registerType('acme.invoice.drafted', FACTS, input(V1, [{ amount: '\uD800', status: 'open' }]), 1)
    expect(errorsOf(result).join()).toContain('/examples/0 could not be published')
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

describe('the current version of several', () => {
  const V3 = object({ ...(V2['properties'] as object), extra: text }, ['total', 'status'])
  const example = { total: '1', status: 'open' }
  const both = () => registered(second([RENAME, MAP]))
  const again = (schema: Schema, down: unknown) =>
    registerVersion(both(), input(schema, [example], { version: 2, down }), 5)

  it('keeps its conversion, which may be left out where it comes again', () => {
    for (const down of [null, [RENAME, MAP], [{ to: 'amount', path: '/total', op: 'rename' }, MAP]]) {
      expect(again(V2, down)).toMatchObject({ ok: true, outcome: 'unchanged', definition: both() })
      const extended = again(V3, down)
      expect(extended).toMatchObject({ ok: true, outcome: 'extended' })
      expect(registered(extended).versions.map((version) => version.down)).toEqual([null, [RENAME, MAP]])
    }
  })

  it.each<[string, unknown, number | null]>([
    ['another one', [RENAME, { ...MAP, otherwise: 'open' }], 2],
    ['the same in another order', [MAP, RENAME], 2],
    ['none', [], 2],
    ['another one, without a number', [MAP, RENAME], null],
    ['one for version 1', [RENAME], 1],
  ])('does not take %s', (_what, down, version) => {
    const [schema, sent] = version === 1 ? [V1, { amount: '1', status: 'open' }] : [V2, example]
    const result = registerVersion(both(), input(schema, [sent], { version, down }), 5)
    expect(errorsOf(result).join()).toMatch(/^\/down_conversion of version \d cannot change/)
  })

  it('gains no field that the version before knows as something else', () => {
    const of = (more: Schema) => object({ total: text, status: STATUS, ...more }, ['total', 'status'])
    const next = registered(registerVersion(first(), input(of({}), [example], { version: 2, down: [RENAME] }), 2))
    const gain = (note: Schema, value: unknown) =>
      registerVersion(next, input(of({ note }), [{ ...example, note: value }], { version: 2 }), 3)
    const wrong = gain({ type: 'integer', 'x-data-class': 'prompt' }, 5)
    expect(errorsOf(wrong).join()).toContain('/examples/0 converted to version 1 it is wrong at /note')
    expect(gain(NOTE, 'x').ok).toBe(true)
  })

  it('gains no word that its conversion leaves to the version before', () => {
    const growing = { ...STATUS, 'x-open': true }
    const of = (status: Schema) => object({ amount: text, status }, ['amount', 'status'])
    const examples = [{ amount: '1', status: 'open' }]
    const more = of({ ...growing, enum: ['open', 'paid', 'disputed'] })
    const gain = (map: Record<string, unknown>) => {
      const down = [{ op: 'map', path: '/status', ...map }]
      const next = registerVersion(first(), input(of(growing), examples, { version: 2, down }), 2)
      return registerVersion(registered(next), input(more, examples, { version: 2 }), 3)
    }
    expect(errorsOf(gain({ values: { open: 'open' } })).join()).toContain('with another value at /status')
    expect(gain({ values: { open: 'open', paid: 'paid' }, otherwise: 'open' }).ok).toBe(true)
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

  it('is refused where it fails only for those who may see one of two classes', () => {
    const pair = { type: 'object', dependentRequired: { x: ['y'] }, 'x-data-class': 'public' }
    const v1 = registerType('acme.invoice.drafted', FACTS, input(object({ pair }), [{ pair: {} }]), 1)
    const v2 = object({ x: NOTE, y: { type: 'string', 'x-data-class': 'memory' } })
    const down = [
      { op: 'move', from: '/x', to: '/pair/x' },
      { op: 'move', from: '/y', to: '/pair/y' },
    ]
    const of = (steps: unknown) =>
      errorsOf(registerVersion(registered(v1), input(v2, [{ x: '1', y: '2' }], { version: 2, down: steps }), 2)).join()
    expect(of(down)).toContain('wrong at /pair/y')
    expect(of([...down, { op: 'constant', path: '/pair/y', value: '', only_if_absent: true }])).toBe('')
  })

  it('is refused where its examples would take seconds to try', () => {
    const classes = ['operational', 'personal', 'prompt', 'message', 'document', 'tool_input', 'tool_output', 'memory']
    const schema = object(Object.fromEntries(classes.map((name) => [name, { type: 'string', 'x-data-class': name }])))
    const of = (length: number, steps: number) => {
      const example = Object.fromEntries(classes.map((name) => [name, 'x'.repeat(length)]))
      const v1 = registered(registerType('acme.invoice.drafted', FACTS, input(schema, [example]), 1))
      const down = Array.from({ length: steps }, (_, n) => ({ op: 'drop', path: `/none${n}` }))
      const examples = Array.from({ length: 20 }, () => example)
      return registerVersion(v1, input(schema, examples, { version: 2, down }), 2)
    }
    expect(errorsOf(of(2500, 100)).join()).toContain('/examples are too long')
    expect(of(20, 3).ok).toBe(true)
  })

  it.each([0, 3, 4, 50, -1])('is not called %i after version 1', (version) => {
    const result = registerVersion(first(), input(V2, [{ total: '1', status: 'open' }], { version, down: [] }), 2)
    expect(errorsOf(result)).toEqual(['/version is 1, to extend it, or 2, for the next one'])
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
