import { EVENT_TYPE_MAX_LENGTH, EVENT_TYPE_PATTERN } from '@runbell/sdk/contract'
import { RESERVED_TYPE_PREFIXES } from '@runbell/sdk/catalog'

/** Past participles that do not end in -ed, and states that a thing can be found in. */
const FACTS = new Set(
  (
    'begun become bought brought broken built caught chosen cut done drawn driven fallen fed felt forgotten forgiven ' +
    'found frozen given gone got grown heard held hidden hit kept known left lent lost made met paid put read reset ' +
    'run said seen sent set shown shut sold spent split spoken stolen stopped stuck taken taught thrown told ' +
    'understood undone upset woken won worn written withdrawn overdue unknown waiting retrying running pending ' +
    'succeeded online offline unavailable available ready empty full idle'
  ).split(' '),
)

/** The fact that an order would lead to. */
const IRREGULAR: Readonly<Record<string, string>> = {
  send: 'sent',
  pay: 'paid',
  build: 'built',
  begin: 'begun',
  write: 'written',
  make: 'made',
  give: 'given',
  take: 'taken',
  buy: 'bought',
  sell: 'sold',
  find: 'found',
  lose: 'lost',
  run: 'run',
  put: 'put',
  set: 'set',
  get: 'fetched',
  do: 'done',
  go: 'gone',
  keep: 'kept',
  hold: 'held',
  notify: 'notified',
  delete: 'deleted',
}

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
  const words = last.split('_')
  if (words.some(isFact)) return null
  const message = `ends in "${last}", which is no fact that has happened`
  return { message, suggestion: [...segments.slice(0, -1), ...factOf(words)].join('.') }
}

/** A suggestion that is not suggested something else in its turn. */
function rightName(name: string): string | null {
  const problem = typeNameProblem(name)
  return problem === null ? name : problem.suggestion
}

function isFact(word: string): boolean {
  return FACTS.has(word) || /[a-z]{2}ed$/.test(word)
}

/** `send_email` → `email.sent`, `create` → `created`. */
function factOf(words: readonly string[]): string[] {
  const [verb = '', ...object] = words
  const stem = verb.endsWith('ing') && verb.length > 5 ? verb.slice(0, -3) : verb
  const past = IRREGULAR[stem] ?? pastOf(stem)
  return object.length === 0 ? [past] : [object.join('_'), past]
}

function pastOf(verb: string): string {
  if (verb.endsWith('e')) return `${verb}d`
  if (/[^aeiou]y$/.test(verb)) return `${verb.slice(0, -1)}ied`
  return `${verb}ed`
}

function spelledRight(name: string): string {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll(/[-\s]+/g, '_')
}
