import type { ProblemDetail } from '@runbell/sdk/contract'
import type { z } from '@hono/zod-openapi'
import { nearest } from '../../core/nearest.ts'
import { echoOf, invalid } from './problem.ts'

type Issue = z.core.$ZodIssue

/**
 * Checks a value against a schema.
 * @param at JSON Pointer of the value itself: empty for a body, `/query` for a query
 * @throws Refused `invalid_request` that names every wrong place
 */
export function validate<Schema extends z.ZodType>(schema: Schema, value: unknown, at: string): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const known = 'shape' in schema ? Object.keys(schema.shape as object) : []
  throw invalid(result.error.issues.flatMap((issue) => describeIssue(issue, value, at, known)))
}

function pointer(at: string, path: readonly PropertyKey[]): string {
  const escape = (part: PropertyKey) => echoOf(String(part)).replaceAll('~', '~0').replaceAll('/', '~1')
  return path.reduce<string>((text, part) => `${text}/${escape(part)}`, at)
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let inner = value
  for (const part of path) {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, part)) return undefined
    inner = (inner as Record<PropertyKey, unknown>)[part]
  }
  return inner
}

function describeIssue(issue: Issue, value: unknown, at: string, known: readonly string[]): ProblemDetail[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: pointer(at, [...issue.path, key]), message: unknownName(key, known) }))
  }
  const message = valueAt(value, issue.path) === undefined ? 'is required' : sentence(issue)
  return [{ path: pointer(at, issue.path), message }]
}

function unknownName(name: string, known: readonly string[]): string {
  const near = nearest(name, known)
  if (near !== null) return `unknown field; did you mean ${near}?`
  return `unknown field; known are ${known.join(', ')}`
}

function sentence(issue: Issue): string {
  const unit =
    'origin' in issue && (issue.origin === 'string' ? ' characters' : issue.origin === 'array' ? ' entries' : '')
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${article(issue.expected === 'int' ? 'integer' : issue.expected)}`
    case 'too_small':
      return unit ? `must have at least ${issue.minimum}${unit}` : `must be at least ${issue.minimum}`
    case 'too_big':
      return unit ? `must have at most ${issue.maximum}${unit}` : `must be at most ${issue.maximum}`
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`
    default:
      return issue.message
  }
}

function article(type: string): string {
  if (type === 'record') return 'an object'
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`
}
