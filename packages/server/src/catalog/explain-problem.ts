import type { ErrorObject } from 'ajv'
import type { DataProblem } from '../core/catalog/type-contract.ts'
import { nearest } from '../core/nearest.ts'

const MAX_WORDS = 20

/** What was expected at a place of the data, without a word of what stands there. */
export function explainProblem(error: ErrorObject): DataProblem {
  const { instancePath: path } = error
  const params = error.params as Record<string, unknown>
  if (error.keyword === 'required') {
    return { path: `${path}/${escapeToken(String(params['missingProperty']))}`, message: 'is required', fix: null }
  }
  if (error.keyword === 'dependentRequired') {
    const message = `is required beside ${JSON.stringify(params['property'])}`
    return { path: `${path}/${escapeToken(String(params['missingProperty']))}`, message, fix: null }
  }
  if (error.keyword === 'additionalProperties' || error.keyword === 'unevaluatedProperties') {
    const name = String(params['additionalProperty'] ?? params['unevaluatedProperty'])
    const message = 'is not among the fields of this type'
    return { path: `${path}/${escapeToken(name)}`, message, fix: 'Leave it out, or add it to the schema.' }
  }
  const { message, fix = null } = expectation(error.keyword, params, error)
  return { path, message, fix }
}

function expectation(
  keyword: string,
  params: Record<string, unknown>,
  error: ErrorObject,
): { message: string; fix?: string | null } {
  const limit = String(params['limit'])
  switch (keyword) {
    case 'type':
      return { message: `is ${typeWords(params['type'])}` }
    case 'const':
      return { message: `is ${JSON.stringify(params['allowedValue'])}` }
    case 'enum':
      return oneOf(params['allowedValues'] as unknown[], error.data)
    case 'pattern':
      return { message: `matches the pattern ${String(params['pattern'])}` }
    case 'format':
      return { message: FORMATS[String(params['format'])] ?? `has the format ${String(params['format'])}` }
    case 'maxLength':
      return { message: `has at most ${limit} characters`, fix: 'Shorten it, or point to a resource instead.' }
    case 'minLength':
      return { message: limit === '1' ? 'is not empty' : `has at least ${limit} characters` }
    case 'maximum':
    case 'minimum':
    case 'exclusiveMaximum':
    case 'exclusiveMinimum':
      return { message: `is ${COMPARISONS[String(params['comparison'])] ?? 'within'} ${limit}` }
    case 'multipleOf':
      return { message: `is a multiple of ${String(params['multipleOf'])}` }
    case 'maxItems':
      return { message: `has at most ${limit} elements` }
    case 'minItems':
      return { message: `has at least ${limit} ${limit === '1' ? 'element' : 'elements'}` }
    case 'uniqueItems':
      return { message: 'has no element twice' }
    default:
      return { message: `does not satisfy ${keyword} of the schema` }
  }
}

const COMPARISONS: Readonly<Record<string, string>> = {
  '<=': 'at most',
  '>=': 'at least',
  '<': 'less than',
  '>': 'more than',
}

const FORMATS: Readonly<Record<string, string>> = {
  'date-time': 'is an RFC 3339 time such as 2026-11-23T18:02:10.120Z',
  date: 'is a date such as 2026-11-23',
  uri: 'is an absolute URL such as https://api.acme.example/orders/7781',
  email: 'is an email address',
  uuid: 'is a UUID',
}

function oneOf(words: readonly unknown[], data: unknown): { message: string; fix: string | null } {
  const shown = words.slice(0, MAX_WORDS).map((word) => JSON.stringify(word))
  const rest = words.length > shown.length ? ` or ${words.length - shown.length} more` : ''
  const strings = words.filter((word) => typeof word === 'string')
  const suggestion = typeof data === 'string' ? nearest(data, strings) : null
  return { message: `is one of ${shown.join(', ')}${rest}`, fix: suggestion === null ? null : `Use "${suggestion}".` }
}

function typeWords(type: unknown): string {
  const names = Array.isArray(type) ? type.map(String) : [String(type)]
  return names.map((name) => (name === 'null' ? 'null' : `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}`)).join(' or ')
}

function escapeToken(token: string): string {
  return token.replaceAll('~', '~0').replaceAll('/', '~1')
}
