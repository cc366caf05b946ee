import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { EventDataByType, ServiceEventDataByType } from '@runbell/sdk/catalog'
import { describe, expect, expectTypeOf, it, onTestFinished } from 'vitest'
import type { BuiltInEvent, BuiltInEventData } from '../../test/generated/built-in-types.ts'
import type { CatalogEntry } from './catalog-entry.ts'
import { renderDeclarations } from './type-declarations.ts'

const HERE = fileURLToPath(new URL('.', import.meta.url))

const entry = (type: string, ...schemas: Record<string, unknown>[]): CatalogEntry => ({
  type,
  fact: 'It happened.',
  runScoped: false,
  sample: null,
  versions: schemas.map((schema, index) => ({ version: index + 1, schema, examples: [{}], retiresAt: null })),
})
const object = (properties: Record<string, unknown>, required: string[] = []) => ({
  type: 'object',
  properties,
  required,
})
const render = (...entries: CatalogEntry[]) =>
  renderDeclarations(entries, { heading: ['Made.'], union: 'AcmeEvent', augments: 'OwnEventDataByType' })

describe('the types of the built-in catalog', () => {
  type Inferred = EventDataByType & ServiceEventDataByType
  /** Without the names of what it is made of. */
  type Flat<Of> = Of extends (infer Item)[]
    ? Flat<Item>[]
    : Of extends object
      ? { [Key in keyof Of]: Flat<Of[Key]> }
      : Of
  /** Assignable both ways is not enough: that does not see an optional field that one of the two lacks. */
  type Same<One, Other> =
    // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- two conditional types are one if they are so for any T
    (<T>() => T extends Flat<One> ? 1 : 2) extends <T>() => T extends Flat<Other> ? 1 : 2 ? true : false
  /** Names where one of the two says something that the other does not. */
  type DifferentIn<One, Other extends Record<keyof One, unknown>> = {
    [Type in keyof One]: Same<One[Type], Other[Type]> extends true ? never : Type
  }[keyof One]

  it('are those that the catalog itself has', () => {
    expectTypeOf<keyof BuiltInEventData>().toEqualTypeOf<keyof Inferred>()
    expectTypeOf<DifferentIn<Inferred, BuiltInEventData>>().toEqualTypeOf<never>()
  })

  it('would be found out if they had one optional field more, or fewer', () => {
    type Field = { a: { b?: string }[] }
    expectTypeOf<DifferentIn<{ x: Field }, { x: Field }>>().toEqualTypeOf<never>()
    expectTypeOf<DifferentIn<{ x: Field }, { x: { a: { b?: string; c?: 1 }[] } }>>().toEqualTypeOf<'x'>()
    expectTypeOf<DifferentIn<{ x: Field }, { x: { a: { b: string }[] } }>>().toEqualTypeOf<'x'>()
  })

  it('tell events apart', () => {
    const read = (event: BuiltInEvent) => (event.type === 'agent.run.failed' ? event.data.error.code : null)
    expectTypeOf(read).returns.toExtend<string | null>()
  })
})

describe('declarations of a producer’s own types', () => {
  it('say what a schema says', () => {
    const text = render(
      entry('acme.order.shipped', {
        ...object(
          {
            id: { type: 'string', description: 'Which order.', 'x-data-class': 'public' },
            state: { enum: ['open', 'paid', null, 3] },
            'is-gift': { type: ['boolean', 'null'] },
            lines: { type: 'array', items: { $ref: '#/$defs/line' } },
            tags: { type: 'array', items: { enum: ['a', 'b'] } },
            totals: { type: 'object', additionalProperties: { type: 'number' } },
            anything: {},
            nested: object({ deep: { const: true } }, ['deep']),
          },
          ['id', 'lines'],
        ),
        $defs: { line: object({ sku: { type: 'string' }, next: { $ref: '#/$defs/line' } }, ['sku']) },
      }),
    )
    for (const line of [
      '  /** Which order. Data class: public. */\n  id: string',
      "  state?: 'open' | 'paid' | null | 3",
      '  "is-gift"?: boolean | null',
      '  lines: AcmeOrderShippedV1Line[]',
      "  tags?: ('a' | 'b')[]",
      '  totals?: { [name: string]: number }',
      '  anything?: unknown',
      '  nested?: {\n    deep: true\n  }',
      '  next?: AcmeOrderShippedV1Line',
    ]) {
      expect(text).toContain(line)
    }
  })

  it.each<[string, Record<string, unknown>, string]>([
    ['a list of what may be null', { type: 'array', items: { type: ['string', 'null'] } }, '(string | null)[]'],
    [
      'a list of objects that may be null',
      { type: 'array', items: { type: ['object', 'null'], properties: { a: { type: 'string' } } } },
      '({\n    a?: string\n  } | null)[]',
    ],
    [
      'members beyond those that are named',
      { ...object({ a: {} }), additionalProperties: {} },
      '{\n    a?: unknown\n    [name: string]: unknown\n  }',
    ],
    ['a field that may gain words', { enum: ['a', 3], 'x-open': true }, "'a' | 3 | (string & {}) | number"],
    ['one of several', { oneOf: [{ const: 1 }, { type: 'array', items: { type: 'null' } }] }, '1 | null[]'],
    ['conditions beside members', { ...object({ a: {} }), anyOf: [{ required: ['a'] }] }, '{\n    a?: unknown\n  }'],
    [
      'several at once',
      { allOf: [{ $ref: '#/$defs/a' }, { anyOf: [{ type: 'string' }, { const: 1 }] }] },
      '(AcmeOrderShippedV1A & (string | 1))',
    ],
    [
      'a list with its first elements described',
      { type: 'array', prefixItems: [{}], items: { type: 'null' } },
      'unknown[]',
    ],
    ['a reference to another place', { $ref: '#/$defs/a/properties/b' }, 'boolean'],
    ['a reference to nothing', { $ref: '#/$defs/none' }, 'unknown'],
    ['a reference to itself', { $ref: '#' }, '{\n    x?: unknown\n  }'],
    ['what may be anything', { description: 'Any.' }, 'unknown'],
    ['what is never there', { enum: [] }, 'never'],
  ])('can say %s', (_what, field, type) => {
    const schema = { ...object({ x: field }), $defs: { a: object({ b: { type: 'boolean' } }) } }
    expect(render(entry('acme.order.shipped', schema))).toContain(`  x?: ${type}\n`)
  })

  it('show characters that reverse what a reader sees, and drop them from comments', () => {
    const hidden = 'a\u202E*\u2066/ b'
    const text = render(entry('acme.order.shipped', object({ [hidden]: { const: hidden, description: hidden } })))
    expect(text).toContain(String.raw`"a\u202e*\u2066/ b"?: "a\u202e*\u2066/ b"`)
    expect(text).toContain('/** a* / b */')
    expect(text).not.toMatch(/\p{Bidi_Control}/u)
  })

  it('have one member of the union for each version, and the current one for emit', () => {
    const text = render(entry('acme.order.shipped', object({ a: {} }), object({ b: {} })))
    expect(text).toContain("(Envelope<'acme.order.shipped', AcmeOrderShippedV1> & { schema_version: 1 })")
    expect(text).toContain("(Envelope<'acme.order.shipped', AcmeOrderShippedV2> & { schema_version: 2 })")
    expect(text).toContain("'acme.order.shipped': AcmeOrderShippedV2\n")
    expect(text).toContain("'acme.order.shipped': 2,\n")
  })

  it('give two types that become one name two names', () => {
    const text = render(entry('acme.a_b.sent', object({ x: {} })), entry('acme.a.b_sent', object({ y: {} })))
    expect(text).toContain('interface AcmeABSentV1 {')
    expect(text).toContain('interface AcmeABSentV1_2 {')
  })

  it('compile under strict settings, whatever words are in them, and teach emit and on', { timeout: 60_000 }, () => {
    const hostile = 'ends */ export const x = 1 /* `${1}`\n// \u2028 "quoted" \\ </script>'
    const text = render(
      entry('acme.order.shipped', object({ carrier: { type: 'string' } }, ['carrier'])),
      {
        ...entry('acme.hostile.sent', {
          ...object({
            [hostile]: { enum: [hostile, '__proto__'], description: hostile },
            __proto__x: { type: 'string' },
          }),
          $defs: {
            'a/b"c': { type: 'string' },
            '*/': {},
            tree: { type: 'object', additionalProperties: { $ref: '#/$defs/tree' } },
          },
          additionalProperties: { type: 'number' },
        }),
        fact: hostile,
      },
      entry('acme.empty.sent', { type: 'object' }),
      { ...entry('acme.step.taken', object({ step: { type: 'string' } })), runScoped: true },
      entry('acme.open.sent', object({ status: { enum: ['a', 'b'], 'x-open': true } }, ['status'])),
    )
    const use = `
import { Runbell } from '@runbell/sdk/emit'
import { createReceiver } from '@runbell/sdk/receive'
import { SCHEMA_VERSIONS, type AcmeEvent } from './own.ts'
const runbell = new Runbell({ url: 'http://x', key: 'rb_test_x', schemaVersions: SCHEMA_VERSIONS })
void runbell.emit('acme.order.shipped', { data: { carrier: 'DHL' } })
// @ts-expect-error -- a number
void runbell.emit('acme.order.shipped', { data: { carrier: 7 } })
void runbell.emit('acme.step.taken', { run_id: 'r', data: {} })
// @ts-expect-error -- no run_id
void runbell.emit('acme.step.taken', { data: {} })
createReceiver({ secrets: 'x' }).on('acme.step.taken', (event) => event.run_id.toUpperCase() + event.sequence.toFixed())
createReceiver({ secrets: 'x' }).on('acme.order.shipped', (event) => event.data.carrier.toUpperCase())
void runbell.emit('acme.open.sent', { data: { status: 'later' } })
export const known = (event: AcmeEvent) => {
  if (event.type !== 'acme.open.sent' || event.data.status === 'a' || event.data.status === 'b') return 'known'
  return event.data.status.toUpperCase()
}
export const carrierOf = (event: AcmeEvent) => (event.type === 'acme.order.shipped' ? event.data.carrier : null)
`
    const folder = mkdtempSync(join(HERE, '.compiled-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    writeFileSync(join(folder, 'own.ts'), text)
    writeFileSync(join(folder, 'use.ts'), use)
    const base = fileURLToPath(new URL('../../../../tsconfig.base.json', import.meta.url))
    const compilerOptions = { lib: ['es2023', 'webworker'], types: [] }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: base, compilerOptions, include: ['*.ts'] }))
    const { status, stdout } = spawnSync('tsc', ['-p', folder], { encoding: 'utf8' })
    expect(stdout).toBe('')
    expect(status).toBe(0)
  })
})
