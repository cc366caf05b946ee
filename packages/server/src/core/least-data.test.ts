import { BUILT_IN_TYPES } from '@runbell/sdk/catalog'
import type { DataClass, Envelope } from '@runbell/sdk/contract'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { describe, expect, it } from 'vitest'
import { accepted, text } from '../../test/checked.ts'
import { NO_EXAMPLES, classedValues, exampleEvents, publishedAs } from '../../test/contract/example-events.ts'
import { DEFAULT_DATA_CLASSES, GRANTABLE } from '../../test/contract/grants.ts'
import { oddJson } from '../../test/contract/odd-json.ts'
import { maskOf } from './data-classes.ts'
import { scanJson } from './json-scan.ts'
import { completePrefix } from './render.ts'

const RECORDED_AT = Date.UTC(2026, 10, 23, 19)
const ajv = addFormats.default(new Ajv2020({ strict: false }))
const validators = new Map(
  [...BUILT_IN_TYPES.values()].map(({ type, versions }) => [type, ajv.compile(versions[0]?.schema as object)]),
)

/** Every set of the eight classes that can be granted. */
const GRANT_SETS: DataClass[][] = Array.from({ length: 2 ** GRANTABLE.length }, (_, bits) =>
  GRANTABLE.filter((_name, index) => ((bits >> index) & 1) === 1),
)

if (NO_EXAMPLES !== null) console.log(`samples only: ${NO_EXAMPLES}`)

describe.each(exampleEvents().map((event) => [`${event.type} ${event.event_id}`, event] as const))(
  '%s',
  (_name, event) => {
    // White space, escapes and numbers that do not survive being parsed and written again.
    const source = oddJson(publishedAs(event))
    const { event: checked, bodies, warnings } = accepted(source, { mode: event.mode })
    const values = classedValues(event)

    function bodyFor(grants: DataClass[]): string {
      const body = bodies.bodyFor({ format: 'runbell', grants: maskOf(grants), pin: 1 })
      const envelope = body?.envelope ?? checked.envelope
      const rest = body?.rest ?? Buffer.from(`${text(checked.source.subarray(checked.dataStart, checked.dataEnd))}}`)
      return completePrefix(envelope, RECORDED_AT, event.sequence ?? null) + text(rest)
    }

    it('is cut for every one of the 256 sets of grants, exactly', () => {
      expect(warnings).toEqual([])
      for (const grants of GRANT_SETS) {
        const body = bodyFor(grants)
        const granted = new Set<DataClass>([...DEFAULT_DATA_CLASSES, ...grants])
        const parsed = JSON.parse(body) as Envelope
        const gone = values.filter(({ dataClass }) => !granted.has(dataClass))
        expectValid(parsed, grants)
        expect(parsed.withheld ?? [], `withheld with ${grants.join()}`).toEqual(
          [...new Set(gone.map((value) => value.dataClass))].sort(),
        )
        for (const { path, value, masked } of gone) {
          if (masked) expect(at(parsed, path), path).toBe('•••')
          else expect(at(parsed, path), path).toBeUndefined()
          expectNowhere(value, source, body, path)
        }
        expectSameBytes(source, body)
      }
    })

    it('has everything in it for who may see everything', () => {
      const parsed = JSON.parse(bodyFor(GRANTABLE)) as Envelope
      expect(parsed).not.toHaveProperty('withheld')
      expect(parsed.data).toEqual((JSON.parse(source) as Envelope).data)
      expect(bodies.bodyFor({ format: 'runbell', grants: maskOf(GRANTABLE), pin: 1 })).toBeNull()
    })
  },
)

function expectValid(event: Envelope, grants: DataClass[]): void {
  const validate = validators.get(event.type)
  if (validate === undefined) throw new Error(`${event.type} has no schema`)
  const valid = validate(event.data)
  expect(validate.errors ?? [], `with ${grants.join()}`).toEqual([])
  expect(valid).toBe(true)
}

/** Texts (but for their first letter, which may be escaped) that stand in the source once stand nowhere in a body that may not have them. */
function expectNowhere(value: unknown, source: string, body: string, path: string): void {
  for (const word of texts(value)) {
    if (source.split(word).length === 2) expect(body.includes(word), path).toBe(false)
  }
}

function texts(value: unknown): string[] {
  if (typeof value === 'string') return value.length < 4 ? [] : [JSON.stringify(value).slice(2, -1)]
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(texts)
  return []
}

/** Every value that is in both has the same bytes in both. */
function expectSameBytes(source: string, body: string): void {
  const [before, after] = [source, body].map((json) => {
    const scan = scanJson(Buffer.from(json))
    if (!scan.ok) throw new Error(scan.error.message)
    return scan.json
  })
  if (before === undefined || after === undefined) throw new Error('never')
  const sources = new Map(
    Array.from({ length: before.nodeCount }, (_, node) => [before.pointer(node), before.source(node)]),
  )
  let compared = 0
  for (let node = after.member(after.root, 'data'); node < after.nodeCount; node++) {
    if (after.firstChild(node) !== -1 || after.source(node) === '"•••"') continue
    const path = after.pointer(node)
    if (path.endsWith('/masked')) continue
    expect(after.source(node), path).toBe(sources.get(path))
    compared++
  }
  expect(compared).toBeGreaterThan(0)
}

function at(value: unknown, path: string): unknown {
  let found = value as Record<string, unknown> | undefined
  for (const token of path.split('/').slice(1)) found = found?.[token] as Record<string, unknown> | undefined
  return found
}
