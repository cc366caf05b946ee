import { describe, expect, it } from 'vitest'
import { checkSchema, definition } from '../../test/check-schema.ts'
import { DATA_CLASSES, EVENT_TYPE_MAX_LENGTH, EVENT_TYPE_PATTERN } from '../contract/index.ts'
import {
  BUILT_IN_TYPES,
  RESERVED_TYPE_PREFIXES,
  RUN_STATUSES,
  SERVICE_TYPES,
  TERMINAL_RUN_STATUSES,
  type JsonSchema,
} from './index.ts'

const ALL = [...BUILT_IN_TYPES.values(), ...SERVICE_TYPES.values()]
const ALWAYS_TRAVEL = new Set(['public', 'summary'])

describe('the catalog', () => {
  it('has 29 types for producers and 6 of the service, told apart by name', () => {
    expect([BUILT_IN_TYPES.size, SERVICE_TYPES.size]).toEqual([29, 6])
    for (const type of BUILT_IN_TYPES.keys()) expect(type).toMatch(/^agent\./)
    for (const type of SERVICE_TYPES.keys()) expect(type).toMatch(/^runbell\./)
    for (const { type } of ALL) {
      expect(type).toMatch(EVENT_TYPE_PATTERN)
      expect(type.length).toBeLessThanOrEqual(EVENT_TYPE_MAX_LENGTH)
      expect(RESERVED_TYPE_PREFIXES.some((prefix) => type.startsWith(prefix))).toBe(true)
    }
  })

  it('joins run types by run_id, tasks by task_id and service events by neither', () => {
    for (const { type, runScoped } of ALL) {
      expect(runScoped, type).toBe(type.startsWith('agent.') && !type.startsWith('agent.task.'))
    }
  })

  it('lets the run types have every run status between them, and end with every terminal one', () => {
    const statuses = [...BUILT_IN_TYPES.values()]
      .filter(({ type }) => type.startsWith('agent.run.'))
      .flatMap(statusesOf)
    expect(new Set(statuses)).toEqual(new Set(RUN_STATUSES))
    expect(TERMINAL_RUN_STATUSES.every((status) => RUN_STATUSES.includes(status))).toBe(true)
  })
})

describe.each(ALL.map((entry) => [entry.type, entry] as const))('%s', (type, { fact, versions }) => {
  const schema = versions[0]?.schema as JsonSchema

  it('has version 1, whose schema is complete in itself', () => {
    expect(versions.map(({ version }) => version)).toEqual([1])
    expect(schema).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema', title: type })
    expect(schema.description).toBe(fact)
    expect(new Set(walk(schema).flatMap(({ node }) => node.$ref ?? []))).toEqual(
      new Set(Object.keys(schema.$defs ?? {}).map((name) => `#/$defs/${name}`)),
    )
  })

  it('gives every leaf exactly one data class', () => {
    const leaves = walk(schema).filter(({ isLeaf }) => isLeaf)
    expect(leaves.length).toBeGreaterThan(0)
    for (const { path, classes } of leaves) {
      expect(classes, path).toHaveLength(1)
      expect(['from value_class', ...DATA_CLASSES.filter((name) => name !== 'credential')]).toContain(classes[0])
    }
  })

  it('requires only what always travels', () => {
    for (const { path, isLeaf, isRequired, classes } of walk(schema)) {
      if (!isLeaf || !isRequired) continue
      expect(ALWAYS_TRAVEL.has(classes[0] ?? '') || classes[0] === 'from value_class', `${path}: ${classes[0]}`).toBe(
        true,
      )
    }
  })

  it('explains every field in a short sentence', () => {
    for (const { path, node } of walk(schema)) {
      expect(node.description, path).toMatch(/^[^\n]{4,150}\.$/)
    }
  })
})

describe('the checker of these tests', () => {
  const schema = BUILT_IN_TYPES.get('agent.approval.requested')?.versions[0]?.schema as JsonSchema
  const good = BUILT_IN_TYPES.get('agent.approval.requested')?.samples.live.data as Record<string, unknown>

  it.each([
    ['/summary: required', { summary: undefined }],
    ['/summary: minLength', { summary: '' }],
    ['/summary: maxLength', { summary: 'é'.repeat(281) }],
    ['/status: const', { status: 'approved' }],
    ['/kind: enum', { kind: 'email' }],
    ['/approval_id: pattern', { approval_id: ' a' }],
    ['/options: minItems', { options: [] }],
    ['/options: uniqueItems', { options: ['deny', 'deny'] }],
    ['/options/0: enum', { options: ['maybe'] }],
    ['/details/0/label: required', { details: [{ value: 'x', value_class: 'public' }] }],
    ['/details/0/value_class: enum', { details: [{ label: 'a', value: 'x', value_class: 'credential' }] }],
    ['/tool: type', { tool: 'issue_refund' }],
    ['/tool/name: type', { tool: { name: 5 } }],
    ['/expires_at: format', { expires_at: 'tomorrow' }],
    ['/decision_url: pattern', { decision_url: 'http://acme.example/' }],
    ['/decision_url: format', { decision_url: 'https://' }],
  ])('finds %s', (problem, change) => {
    const changed = JSON.parse(JSON.stringify({ ...good, ...change })) as unknown
    expect(checkSchema(schema, changed)).toEqual([problem])
  })
})

interface Place {
  path: string
  node: JsonSchema
  isLeaf: boolean
  /** Of the object it is in, which may travel without it. */
  isRequired: boolean
  /** The classes stated on the way down to it: one is right. */
  classes: string[]
}

/** Every schema below the root, what definitions stand for included. */
function walk(
  root: JsonSchema,
  node = root,
  { path, classes, isRequired }: Pick<Place, 'path' | 'classes' | 'isRequired'> = {
    path: '',
    classes: [],
    isRequired: true,
  },
): Place[] {
  const stated = node['x-data-class'] === undefined ? classes : [...classes, node['x-data-class']]
  const reference = node.$ref
  if (reference !== undefined) {
    const inner = walk(root, definition(reference, root), { path, classes: stated, isRequired })
    return [{ path, node, isLeaf: false, isRequired, classes: stated }, ...inner]
  }
  const required = node.required ?? []
  const classField = node['x-data-class-from']
  const fields = Object.entries(node.properties ?? {}).flatMap(([name, field]) => {
    const isOfSibling = classField !== undefined && field['x-data-class'] === undefined
    const fieldClasses = isOfSibling ? [...stated, `from ${classField}`] : stated
    return walk(root, field, {
      path: `${path}/${name}`,
      classes: fieldClasses,
      // An object that has a class is cut as a whole, so that what it requires is there with it.
      isRequired: required.includes(name) && stated.length === 0,
    })
  })
  const items =
    node.items === undefined ? [] : walk(root, node.items, { path: `${path}/0`, classes: stated, isRequired: false })
  const below = [...fields, ...items]
  return [{ path, node, isLeaf: below.length === 0, isRequired, classes: stated }, ...below]
}

function statusesOf({ versions }: (typeof ALL)[number]): string[] {
  const status = versions[0]?.schema.properties?.['status']
  return [...(status?.enum ?? []), ...(status?.const === undefined ? [] : [status.const])]
}
