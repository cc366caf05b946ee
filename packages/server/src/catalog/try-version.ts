import type { ProblemDetail } from '@runbell/sdk/contract'
import { convertIndexed } from '../core/conversion/convert-data.ts'
import { planCuts } from '../core/cut-plan.ts'
import { ALWAYS_GRANTED, DELIVERABLE, type ClassMask } from '../core/data-classes.ts'
import type { JsonIndex } from '../core/json-index.ts'
import { scanJson } from '../core/json-scan.ts'
import { readOpenly } from '../core/schema/read-openly.ts'
import { shapeOf, type DataShape } from '../core/schema/data-shape.ts'
import type { VersionDefinition } from './own-type.ts'
import { createValidators } from './validator.ts'
import { variantsOf } from './vary-example.ts'

const validators = createValidators('linear')
const LIMITS = { maxDepth: 64, maxMembers: 20_000 }

/** Examples that are not valid under their own schema, or have fields that it does not know. */
export function exampleProblems(schema: Record<string, unknown>, examples: Record<string, unknown>[]): ProblemDetail[] {
  let validate: ReturnType<typeof validators.compile>
  try {
    validate = validators.compile(schema)
  } catch (error) {
    return [notASchema(error)]
  }
  const shape = shapeOf(schema)
  return examples.flatMap((example, index): ProblemDetail[] => {
    const scan = scanJson(Buffer.from(JSON.stringify(example), 'utf8'))
    if (!scan.ok) return [{ path: `/examples/${index}`, message: `could not be published: ${scan.error.message}` }]
    const problems = validate(example).map(({ path, message }) => ({ path: `/examples/${index}${path}`, message }))
    const unknown = planCuts(indexOf(example), 0, shape).parts.filter(({ bit }) => bit === 0)
    if (unknown.length === 0) return problems
    return [...problems, { path: `/examples/${index}`, message: 'has fields that the schema does not know' }]
  })
}

/** The compiler names the first place that JSON Schema does not allow, in a sentence. */
const WRONG_PLACE = /^schema is invalid: data(?<path>\/\S*)? (?<message>[^,]*)/

function notASchema(error: unknown): ProblemDetail {
  const { path = '', message = 'is no JSON Schema 2020-12' } =
    WRONG_PLACE.exec(error instanceof Error ? error.message : '')?.groups ?? {}
  return { path: `/schema${path}`, message, suggested_fix: 'Write it as JSON Schema 2020-12 has it.' }
}

/**
 * Whether what a producer may send, cut and converted as delivery does it, is valid for those pinned to the version before:
 * each example for every set of grants that makes a difference, and what else the schema allows in its place.
 */
export function conversionProblems(next: VersionDefinition, before: VersionDefinition): ProblemDetail[] {
  const [shape, oldShape] = [shapeOf(next.schema), shapeOf(before.schema)]
  const validate = validators.compile(readOpenly(before.schema))
  const isValid = validators.compile(next.schema)

  function problemOf(data: Record<string, unknown>, allGrants: boolean): string | null {
    const plan = planCuts(indexOf(data), 0, shape)
    const grants = allGrants ? grantSets(plan.classes) : [DELIVERABLE]
    for (const granted of grants) {
      const cut = plan.cut(granted)
      const converted = convertIndexed(cut.data ?? plan.json.bytes, next.down ?? [])
      const [first] = validate(deliveredValue(converted, oldShape, granted))
      if (first === undefined) continue
      return `converted to version ${before.version} it is wrong at ${first.path || 'its root'}, which ${first.message}`
    }
    return null
  }

  const problems: ProblemDetail[] = []
  const cost = bytesToRead(next, shape)
  if (cost.grants > MAX_BYTES_READ) return [TOO_LONG]
  const perExample = Math.ceil(MAX_VARIANTS / next.examples.length)
  const most = Math.min(perExample, Math.floor(MAX_BYTES_READ / cost.once))
  for (const [index, example] of next.examples.entries()) {
    const path = `/examples/${index}`
    const message = problemOf(example, true)
    if (message !== null) {
      problems.push({ path, message })
      continue
    }
    for (const { path: at, data } of variantsOf(example, next.schema, most)) {
      if (problems.length >= MAX_PROBLEMS) return problems
      if (isValid(data).length > 0) continue
      const wrong = problemOf(data, false)
      if (wrong !== null) problems.push({ path, message: `with another value at ${at}, ${wrong}` })
    }
  }
  return problems
}

const MAX_PROBLEMS = 20
/** Of all examples together: a server that registers a type goes on serving. */
const MAX_VARIANTS = 1000
/**
 * Each step reads the data again. 20 examples of 20 KB with values of 8 classes, and 100 steps, would be 10 GB and stop
 * everybody for 7 s.
 */
const MAX_BYTES_READ = 200_000_000
const TOO_LONG: ProblemDetail = {
  path: '/examples',
  message: 'are too long to be tried with all these steps for every set of grants',
  suggested_fix: 'Shorten their texts, or leave some of them out.',
}

/** About how much is read while all examples are tried once, and for every set of grants. */
function bytesToRead({ examples, down }: VersionDefinition, shape: DataShape): { once: number; grants: number } {
  const steps = (down ?? []).length + 2
  let [once, grants] = [0, 0]
  for (const example of examples) {
    const json = indexOf(example)
    const bytes = json.bytes.length * steps
    once += bytes
    grants += bytes * grantSets(planCuts(json, json.root, shape).classes).length
  }
  return { once, grants }
}

function deliveredValue(json: JsonIndex, shape: DataShape, granted: ClassMask): unknown {
  const cut = planCuts(json, json.root, shape).cut(granted).data
  return cut === null ? json.value(json.root) : scanned(cut).value(0)
}

/** All subsets of the grantable classes that occur. */
function grantSets(classes: ClassMask): ClassMask[] {
  const occurring = classes & DELIVERABLE & ~ALWAYS_GRANTED
  const sets: ClassMask[] = []
  for (let subset = occurring; ; subset = (subset - 1) & occurring) {
    sets.push(subset | ALWAYS_GRANTED)
    if (subset === 0) return sets
  }
}

function indexOf(example: Record<string, unknown>): JsonIndex {
  return scanned(Buffer.from(JSON.stringify(example), 'utf8'))
}

function scanned(bytes: Uint8Array): JsonIndex {
  const scan = scanJson(bytes, LIMITS)
  if (!scan.ok) throw new Error(`an example cannot be read: ${scan.error.message}`)
  return scan.json
}
