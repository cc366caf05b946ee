import { EVENT_TYPE_MAX_LENGTH, EVENT_TYPE_PATTERN } from '@runbell/sdk/contract'
import { RESERVED_TYPE_PREFIXES } from '@runbell/sdk/catalog'
import { participleOf, saysFact } from './past-participles.ts'

/** What is wrong with the name of a producer's own type, and what it could be instead; `null`: nothing. */
export function typeNameProblem(name: string): { message: string; suggestion: string | null } | null {
  if (name.length > EVENT_TYPE_MAX_LENGTH) {
    return { message: `has at most ${EVENT_TYPE_MAX_LENGTH} characters`, suggestion: null }
  }
  if (!EVENT_TYPE_PATTERN.test(name)) {
    const plain = spelledRight(name)
    const fits = EVENT_TYPE_PATTERN.test(plain) && plain !== name
    return { message: 'is two to five segments of a-z, 0-9 and _', suggestion: fits ? rightName(plain) : null }
  }
  const reserved = RESERVED_TYPE_PREFIXES.find((prefix) => name.startsWith(prefix))
  if (reserved !== undefined) {
    const message = `starts with ${reserved}, which is reserved for Runbell's own types`
    return { message, suggestion: rightName(`acme.${name.slice(reserved.length)}`) }
  }
  const segments = name.split('.')
  const last = segments.at(-1) as string
  if (endsInFact(last)) return null
  const message = `ends in "${last}", which is no fact that has happened`
  return { message, suggestion: fitting(segments.slice(0, -1), factOf(last.split('_'))) }
}

/** A suggestion that is not suggested something else in its turn. */
function rightName(name: string): string | null {
  const problem = typeNameProblem(name)
  return problem === null ? name : problem.suggestion
}

/** In a segment more, or where there are too many of them in the same one. */
function fitting(before: readonly string[], fact: readonly string[]): string | null {
  const names = [
    [...before, ...fact],
    [...before, fact.join('_')],
  ].map((segments) => segments.join('.'))
  return names.find((name) => isName(name) && endsInFact(name.split('.').at(-1) as string)) ?? null
}

function isName(name: string): boolean {
  return name.length <= EVENT_TYPE_MAX_LENGTH && EVENT_TYPE_PATTERN.test(name)
}

/** Words that belong to the verb before them: `log_in`, `sign_up`. */
const PARTICLES = new Set(['in', 'out', 'up', 'down', 'on', 'off', 'back', 'over'])
/** What follows a participle but no order: `read_by_agent`. */
const PREPOSITIONS = new Set(['as', 'at', 'by', 'for', 'from', 'into', 'to', 'with', 'without'])

function endsInFact(segment: string): boolean {
  const words = segment.split('_')
  const [, second] = words
  const mayBeOrder = second !== undefined && !PARTICLES.has(second) && !PREPOSITIONS.has(second)
  return words.some((word, index) => saysFact(word, index === 0 && mayBeOrder))
}

/** `send_email` → `email.sent`, `create` → `created`, `sign_up` → `signed_up`. */
function factOf(words: readonly string[]): string[] {
  const [verb = '', ...object] = words
  const stem = verb.endsWith('ing') && verb.length > 5 ? verb.slice(0, -3) : verb
  const past = participleOf(stem)
  if (object.length === 0) return [past]
  if (object.every((word) => PARTICLES.has(word))) return [[past, ...object].join('_')]
  return [object.join('_'), past]
}

function spelledRight(name: string): string {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll(/[-\s]+/g, '_')
}
