import type { ProblemDetail } from '@runbell/sdk/contract'
import type { ConversionStep } from './conversion-step.ts'
import { EVERY, tokensOf } from './step-path.ts'

export type ConversionRead = { ok: true; steps: ConversionStep[] } | { ok: false; errors: ProblemDetail[] }

const MAX_STEPS = 100
const MAX_TOKENS = 16
const MAX_VALUES = 200
const MAX_TEXT = 1000

const FIELDS: Readonly<Record<ConversionStep['op'], { required: string[]; optional: string[] }>> = {
  rename: { required: ['path', 'to'], optional: [] },
  move: { required: ['from', 'to'], optional: [] },
  drop: { required: ['path'], optional: [] },
  constant: { required: ['path', 'value'], optional: ['only_if_absent'] },
  map: { required: ['path', 'values'], optional: ['otherwise'] },
}

/** Reads what a producer declares. @param value as it came in JSON */
export function readConversion(value: unknown): ConversionRead {
  if (!Array.isArray(value)) return { ok: false, errors: [{ path: '', message: 'is a list of steps' }] }
  if (value.length > MAX_STEPS) return { ok: false, errors: [{ path: '', message: `has at most ${MAX_STEPS} steps` }] }
  const errors = value.flatMap((step: unknown, index) => stepErrors(step, `/${index}`))
  return errors.length > 0 ? { ok: false, errors } : { ok: true, steps: value as ConversionStep[] }
}

function stepErrors(step: unknown, at: string): ProblemDetail[] {
  if (typeof step !== 'object' || step === null || Array.isArray(step)) return [{ path: at, message: 'is an object' }]
  const fields = step as Record<string, unknown>
  const op = fields['op']
  const shape = typeof op === 'string' && Object.hasOwn(FIELDS, op) ? FIELDS[op as ConversionStep['op']] : null
  if (shape === null) return [{ path: `${at}/op`, message: `is one of ${Object.keys(FIELDS).join(', ')}` }]
  const known = ['op', ...shape.required, ...shape.optional]
  const errors = Object.keys(fields)
    .filter((name) => !known.includes(name))
    .map((name) => ({ path: `${at}/${name}`, message: `is not a field of ${String(op)}` }))
  for (const name of shape.required) {
    if (!Object.hasOwn(fields, name)) errors.push({ path: `${at}/${name}`, message: 'is required' })
  }
  return errors.length > 0 ? errors : valueErrors(fields, at)
}

function valueErrors(step: Record<string, unknown>, at: string): ProblemDetail[] {
  const errors: ProblemDetail[] = []
  const check = (name: string, message: string | null) => {
    if (message !== null) errors.push({ path: `${at}/${name}`, message })
  }
  if (step['op'] === 'move') {
    check('from', pathProblem(step['from'], 'none'))
    check('to', pathProblem(step['to'], 'none'))
  } else {
    const stars = step['op'] === 'rename' || step['op'] === 'constant' ? 'not_last' : 'any'
    check('path', pathProblem(step['path'], stars))
  }
  if (step['op'] === 'rename') check('to', nameProblem(step['to']))
  if (step['op'] === 'constant') {
    check('value', scalarProblem(step['value']))
    const fits = !Object.hasOwn(step, 'only_if_absent') || typeof step['only_if_absent'] === 'boolean'
    check('only_if_absent', fits ? null : 'is true or false')
  }
  if (step['op'] === 'map') {
    check('values', valuesProblem(step['values']))
    if (Object.hasOwn(step, 'otherwise')) check('otherwise', scalarProblem(step['otherwise']))
  }
  return errors
}

function pathProblem(path: unknown, stars: 'none' | 'not_last' | 'any'): string | null {
  if (typeof path !== 'string' || !/^(\/([^~/]|~[01])*)+$/.test(path)) {
    return 'is a JSON Pointer into the data, such as /customer/name'
  }
  const tokens = tokensOf(path)
  if (tokens.length > MAX_TOKENS) return `has at most ${MAX_TOKENS} names`
  if (tokens.some((token) => token === '')) return 'has an empty name'
  if (stars === 'none' && tokens.includes(EVERY)) return 'has no * here: it names one place'
  if (stars === 'not_last' && tokens.at(-1) === EVERY) return 'ends in the name of a member, not in *'
  return null
}

function nameProblem(name: unknown): string | null {
  const fits = typeof name === 'string' && name.length > 0 && name.length <= 128 && name !== EVERY
  return fits ? null : 'is the new name alone, 1 to 128 characters'
}

function scalarProblem(value: unknown): string | null {
  if (typeof value === 'string') return value.length <= MAX_TEXT ? null : `has at most ${MAX_TEXT} characters`
  const fits = value === null || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
  return fits ? null : 'is a string, a number, true, false or null'
}

function valuesProblem(values: unknown): string | null {
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    return 'is an object from old values to new ones'
  }
  const entries = Object.values(values)
  if (entries.length === 0 || entries.length > MAX_VALUES) return `has 1 to ${MAX_VALUES} entries`
  return entries.map(scalarProblem).find((problem) => problem !== null) ?? null
}
