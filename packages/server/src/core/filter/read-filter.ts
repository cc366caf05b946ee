import type { ProblemDetail } from '@runbell/sdk/contract'
import { utf8Bytes } from '../byte-edits.ts'
import { nearest } from '../nearest.ts'
import { MAX_CONDITIONS, MAX_DEPTH, MAX_FILTER_BYTES, type FieldTest, type Filter, type Scalar } from './filter.ts'
import { fieldProblem } from './filter-field.ts'

export type ReadFilter = { ok: true; filter: Filter } | { ok: false; errors: ProblemDetail[] }

/** Wrong places that are named. */
const MAX_REPORTED = 20
const OPERATORS = ['eq', 'in', 'prefix', 'exists', 'gt', 'gte', 'lt', 'lte', 'not'] as const
type Operator = (typeof OPERATORS)[number]
const COMBINING = ['all', 'any', 'not']

/**
 * Reads a filter as it was sent or stored (docs/filters.md). Never throws, for any value.
 * @param value as `JsonIndex.value` makes it
 */
export function readFilter(value: unknown): ReadFilter {
  // Deeper ones are not in order anyway, and whoever made them did not come through the scanner.
  if (!isShallow(value, MAX_DEPTH * 3)) {
    return { ok: false, errors: [{ path: '', message: `has more than ${MAX_DEPTH} levels of all, any and not` }] }
  }
  const bytes = utf8Bytes(JSON.stringify(value) ?? '').length
  if (bytes > MAX_FILTER_BYTES) {
    const fix = 'Name fewer values, or match on a prefix they share.'
    const message = `has ${bytes} bytes, more than the ${MAX_FILTER_BYTES} a filter may have`
    return { ok: false, errors: [{ path: '', message, suggested_fix: fix }] }
  }
  const reader = new FilterReader()
  const filter = reader.group(value, '', 1)
  if (reader.conditions > MAX_CONDITIONS) {
    const message = `has ${reader.conditions} conditions, more than the ${MAX_CONDITIONS} a filter may have`
    const fix = 'Put values of one field into one condition: {"in": [...]}.'
    return { ok: false, errors: [{ path: '', message, suggested_fix: fix }] }
  }
  return filter === null || reader.errors.length > 0
    ? { ok: false, errors: reader.errors.slice(0, MAX_REPORTED) }
    : { ok: true, filter }
}

class FilterReader {
  readonly errors: ProblemDetail[] = []
  conditions = 0

  /** An object of conditions and groups, all of which must hold. */
  group(value: unknown, path: string, depth: number): Filter | null {
    if (!isObject(value)) {
      return this.#fail(path, 'is an object of conditions by field', 'Write {"/data/status": "failed"}.')
    }
    if (depth > MAX_DEPTH) return this.#fail(path, `has more than ${MAX_DEPTH} levels of all, any and not`)
    const entries = Object.entries(value)
    if (entries.length === 0) {
      return this.#fail(path, 'has no condition', 'Leave filter out, or set it to null, to get every event.')
    }
    const parts = entries.map(([name, inner]) => this.#entry(name, inner, join(path, name), depth))
    const known = parts.filter((part) => part !== null)
    return known.length === 1 ? (known[0] as Filter) : { kind: 'all', of: known }
  }

  #entry(name: string, value: unknown, path: string, depth: number): Filter | null {
    if (name.startsWith('/')) return this.#field(name, value, path)
    if (name === 'not') {
      const of = this.group(value, path, depth + 1)
      return of === null ? null : { kind: 'not', of }
    }
    if (name !== 'all' && name !== 'any') {
      const near = nearest(name, COMBINING)
      const pointer = `/${name.replaceAll('.', '/')}`
      const fix =
        near !== null
          ? `Use "${near}".`
          : fieldProblem(pointer) === null
            ? `Write "${pointer}".`
            : 'Write "/data/status".'
      return this.#fail(path, 'is neither a field such as /data/status nor all, any or not', fix)
    }
    if (!Array.isArray(value) || value.length === 0) return this.#fail(path, 'is a list of at least one filter')
    const of = value.map((inner, index) => this.group(inner, `${path}/${index}`, depth + 1))
    return { kind: name, of: of.filter((part) => part !== null) }
  }

  #field(pointer: string, value: unknown, path: string): Filter | null {
    this.conditions += 1
    const problem = fieldProblem(pointer)
    if (problem !== null) return this.#fail(path, problem.message, problem.fix)
    const tests = this.#condition(value, path, true)
    const tokens = pointer
      .slice(1)
      .split('/')
      .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
    return tests === null ? null : { kind: 'field', pointer, tokens, tests, path }
  }

  /** A value, a list of values, or an object of operators. @param outer it may hold `not` */
  #condition(value: unknown, path: string, outer: boolean): FieldTest[] | null {
    if (Array.isArray(value)) return this.#list(value, path)
    if (!isObject(value)) return this.#equals(value, path)
    const entries = Object.entries(value)
    if (entries.length === 0) return this.#fail(path, 'has no operator', 'Write {"in": [...]} or {"gte": 1}.')
    const tests = entries.flatMap(([name, operand]) => this.#operator(name, operand, join(path, name), outer) ?? [])
    return tests.length < entries.length ? null : tests
  }

  #operator(name: string, operand: unknown, path: string, outer: boolean): FieldTest[] | null {
    if (!isOperator(name) || (name === 'not' && !outer)) {
      const near = nearest(name, OPERATORS)
      const message = name === 'not' ? 'stands inside another not' : `is no operator; there are ${OPERATORS.join(', ')}`
      return this.#fail(path, message, near === null || name === 'not' ? undefined : `Use "${near}".`)
    }
    if (name === 'eq') return this.#equals(operand, path)
    if (name === 'in') {
      return Array.isArray(operand) ? this.#list(operand, path) : this.#fail(path, 'is a list of values')
    }
    if (name === 'prefix') {
      if (typeof operand !== 'string' || operand === '') return this.#fail(path, 'is a text of at least one character')
      return [{ op: 'prefix', text: operand }]
    }
    if (name === 'exists') {
      return typeof operand === 'boolean'
        ? [{ op: 'exists', wanted: operand }]
        : this.#fail(path, 'is true or false', 'Write {"exists": true}.')
    }
    if (name === 'not') {
      const tests = this.#condition(operand, path, false)
      return tests === null ? null : [{ op: 'not', tests }]
    }
    if (typeof operand !== 'number') return this.#fail(path, 'is a number: texts have no order here')
    return this.#isExact(operand, path) ? [{ op: name, bound: operand }] : null
  }

  #list(values: unknown[], path: string): FieldTest[] | null {
    if (values.length === 0) return this.#fail(path, 'is a list of at least one value')
    const whole = values.every((value, index) => this.#isScalar(value, `${path}/${index}`))
    return whole ? [{ op: 'in', values: new Set(values as Scalar[]) }] : null
  }

  #equals(value: unknown, path: string): FieldTest[] | null {
    return this.#isScalar(value, path) ? [{ op: 'in', values: new Set([value as Scalar]) }] : null
  }

  #isScalar(value: unknown, path: string): boolean {
    if (typeof value === 'number') return this.#isExact(value, path)
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
    this.#fail(path, 'is a text, a number, true, false or null')
    return false
  }

  /** A number that is not what was written would match what nobody meant. */
  #isExact(value: number, path: string): boolean {
    if (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))) return true
    const fix = 'Use a number within 9007199254740991 of 0; larger ones are better sent as text.'
    this.#fail(path, 'is too large a number to be compared exactly', fix)
    return false
  }

  #fail(path: string, message: string, fix?: string): null {
    this.errors.push({ path, message, ...(fix === undefined ? {} : { suggested_fix: fix }) })
    return null
  }
}

function isOperator(name: string): name is Operator {
  return (OPERATORS as readonly string[]).includes(name)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return depth > 0 && Object.values(value).every((inner) => isShallow(inner, depth - 1))
}

function join(path: string, name: string): string {
  return `${path}/${name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`
}
