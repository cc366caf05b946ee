import { describe, expect, it } from 'vitest'
import { builtInEntries, type CatalogEntry } from './catalog-entry.ts'
import { renderEventIndex, renderEventPage } from './event-page.ts'
import { fieldRows } from './field-rows.ts'

const OPTIONS = { source: 'Made.', schemaLink: () => null }
const NEEDS_RUN = 'Its events belong to a run: they need a `run_id` and get a `sequence`.'
const object = { type: 'object', 'x-data-class': 'public' }
const text = { type: 'string', 'x-data-class': 'public' }
const entry = (fact: string, ...schemas: Record<string, unknown>[]): CatalogEntry => ({
  type: 'acme.order.shipped',
  fact,
  runScoped: true,
  sample: null,
  versions: schemas.map((schema, index) => ({ version: index + 1, schema, examples: [{ a: '```' }], retiresAt: null })),
})

describe('a page about a type', () => {
  it('has every field with its class, also those inside others and behind references', () => {
    const rows = fieldRows({
      type: 'object',
      required: ['tool'],
      properties: {
        tool: { $ref: '#/$defs/tool' },
        details: {
          type: 'array',
          maxItems: 3,
          items: {
            type: 'object',
            'x-data-class-from': 'kind',
            required: ['kind'],
            properties: { kind: { enum: ['prompt'], 'x-data-class': 'public' }, value: { type: 'string' } },
          },
        },
        tags: { type: 'array', items: { enum: ['a', 'b'], 'x-data-class': 'public', 'x-open': true } },
        grid: { type: 'array', items: { type: 'array', items: { type: 'object', properties: { x: text } } } },
        more: {
          type: 'object',
          properties: { one: text },
          additionalProperties: { ...text, 'x-data-class': 'prompt' },
        },
        whole: { type: 'object', 'x-data-class': 'document', properties: { part: { type: 'integer', minimum: 1 } } },
      },
      $defs: { tool: { type: 'object', properties: { name: { ...text, maxLength: 9, description: 'Its name.' } } } },
    })
    expect(rows.map(({ path, type, required, dataClass }) => [path, type, required, dataClass])).toEqual([
      ['tool', 'object', true, null],
      ['tool.name', 'string, at most 9 characters', false, 'public'],
      ['details', 'array, at most 3 elements', false, null],
      ['details[].kind', '"prompt"', true, 'public'],
      ['details[].value', 'string', false, 'as kind says'],
      ['tags', 'array', false, null],
      ['tags[]', '"a", "b", others later', false, 'public'],
      ['grid', 'array', false, null],
      ['grid[]', 'array', false, null],
      ['grid[][].x', 'string', false, 'public'],
      ['more', 'object', false, null],
      ['more.one', 'string', false, 'public'],
      ['more.*', 'string', false, 'prompt'],
      ['whole', 'object', false, 'document'],
      ['whole.part', 'integer, at least 1', false, 'document'],
    ])
  })

  it('says what each version changed, with the verdict', () => {
    const page = renderEventPage(
      entry('It went.', { type: 'object', properties: { a: text } }, { type: 'object', properties: { b: text } }),
      OPTIONS,
    )
    expect(page).toContain('`/a`, breaking:')
    expect(page).toContain('`/b`, additive:')
    expect(page).toContain('need a `run_id`')
  })

  it('shows what a producer wrote as text, not as markup', () => {
    const evil = '<script>alert(1)</script> | [x](javascript:1) `code`\n# title'
    const page = renderEventPage(
      entry(evil, { type: 'object', properties: { [evil]: { ...text, description: evil, enum: [evil] } } }),
      OPTIONS,
    )
    expect(page).not.toContain('<script')
    expect(page).not.toMatch(/^# title/m)
    expect(page).not.toMatch(/(?<!\\)\[x/)
    const rows = page.split('\n').filter((line) => line.startsWith('| <code>'))
    expect(rows).toHaveLength(1)
    expect(rows[0]?.match(/(?<!\\)\|/g)).toHaveLength(6)
    // The sample has a fence in it; its own is longer.
    expect(page).toContain('````json')
  })

  it.each([
    ['# a', '\\# a'],
    ['> a', '&gt; a'],
    ['- a', '\\- a'],
    ['+ a', '\\+ a'],
    ['1. a', '1\\. a'],
    ['12) a', '12\\) a'],
    ['~~~ a ~~b~~', '\\~\\~\\~ a \\~\\~b\\~\\~'],
    ['=== a', '\\=== a'],
    ['    a', 'a'],
    ['<b>a', '&lt;b&gt;a'],
    ['&lt;a', '&amp;lt;a'],
    ['$a$', '\\$a\\$'],
    ['a\u202Eb', 'ab'],
  ])('does not let a fact become something else: %j', (fact, shown) => {
    expect(renderEventPage(entry(fact, object), OPTIONS).split('\n')[4]).toBe(`${shown} ${NEEDS_RUN}`)
  })

  it('shows what an endpoint without grants gets, where that is less', () => {
    const schema = {
      type: 'object',
      properties: {
        id: text,
        words: { ...text, 'x-data-class': 'prompt' },
        who: { ...text, 'x-data-class': 'personal' },
      },
    }
    const page = (example: Record<string, unknown>) =>
      renderEventPage(
        { ...entry('It went.'), versions: [{ version: 1, schema, examples: [example], retiresAt: null }] },
        OPTIONS,
      )
    const samples = [...page({ id: 'o_1', words: 'Ship it.', who: 'Sam' }).matchAll(/```json\n([\s\S]*?)\n```/g)]
    expect(samples.map(([, json]) => JSON.parse(json as string) as unknown)).toEqual([
      { id: 'o_1', words: 'Ship it.', who: 'Sam' },
      { withheld: ['personal', 'prompt'], data: { id: 'o_1' } },
    ])
    expect(page({ id: 'o_1' })).not.toContain('withheld')
  })

  it('is there for every built-in type, with a sample that is valid JSON', () => {
    const entries = builtInEntries()
    for (const one of entries) {
      const page = renderEventPage(one, OPTIONS)
      const sample = /```json\n([\s\S]*?)\n```/.exec(page)?.[1] ?? ''
      expect(JSON.parse(sample)).toMatchObject({ type: one.type })
    }
    const index = renderEventIndex(entries, 'Made.')
    for (const { type } of entries) expect(index).toContain(`(${type}.md)`)
  })
})
