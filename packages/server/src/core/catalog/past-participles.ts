/** Verbs whose past participle does not end in -ed. */
const IRREGULAR: Readonly<Record<string, string>> = {
  ...{ become: 'become', begin: 'begun', break: 'broken', bring: 'brought', build: 'built', buy: 'bought' },
  ...{ catch: 'caught', choose: 'chosen', cut: 'cut', do: 'done', draw: 'drawn', drive: 'driven', fall: 'fallen' },
  ...{ feed: 'fed', feel: 'felt', find: 'found', forget: 'forgotten', forgive: 'forgiven', freeze: 'frozen' },
  ...{ get: 'fetched', give: 'given', go: 'gone', grow: 'grown', hear: 'heard', hide: 'hidden', hit: 'hit' },
  ...{ hold: 'held', keep: 'kept', know: 'known', lead: 'led', leave: 'left', lend: 'lent', lose: 'lost' },
  ...{ make: 'made', meet: 'met', overcome: 'overcome', pay: 'paid', put: 'put', read: 'read', reset: 'reset' },
  ...{ run: 'run', say: 'said', see: 'seen', sell: 'sold', send: 'sent', set: 'set', show: 'shown', shut: 'shut' },
  ...{ speak: 'spoken', spend: 'spent', split: 'split', steal: 'stolen', stick: 'stuck', take: 'taken' },
  ...{ teach: 'taught', tell: 'told', think: 'thought', throw: 'thrown', understand: 'understood', upset: 'upset' },
  ...{ wake: 'woken', win: 'won', withdraw: 'withdrawn', write: 'written' },
}
const PARTICIPLES = new Set([...Object.values(IRREGULAR), 'got'])
/** What may stand before a verb without changing how it is inflected: `resend`, `undo`, `overwrite`. */
const PREFIX = /^(?:re|un|over)(?=[a-z]{2})/

/** States that a thing can be found in. */
const STATES = new Set(
  'overdue unknown waiting retrying running pending online offline unavailable available ready empty full idle'.split(
    ' ',
  ),
)
/** Participles and states that are orders as well when something follows: `set_price`, `empty_cart`. */
const ORDERS_TOO = new Set('become cut hit overcome put read reset run set shut split upset empty'.split(' '))
/** They end as participles do, and are none. */
const NO_PARTICIPLES = new Set(
  (
    'bleed breed deed embed exceed feed heed hundred indeed linseed naked need newsfeed proceed sacred seed speed ' +
    'succeed weed'
  ).split(' '),
)
/** Verbs of several syllables that double their last letter. */
const DOUBLING = new Set(
  'admit cancel commit compel control embed emit format incur label occur omit permit prefer refer submit transfer transmit'.split(
    ' ',
  ),
)

/** Says what has happened, or a state. @param leads what may be its object follows in the same segment */
export function saysFact(word: string, leads: boolean): boolean {
  if (leads && ORDERS_TOO.has(word)) return false
  if (NO_PARTICIPLES.has(word)) return false
  return STATES.has(word) || PARTICIPLES.has(word) || isPrefixed(word) || /[a-z]{2}ed$/.test(word)
}

function isPrefixed(word: string): boolean {
  return PREFIX.test(word) && PARTICIPLES.has(word.replace(PREFIX, ''))
}

/** `send` → `sent`, `create` → `created`, `stop` → `stopped`. */
export function participleOf(verb: string): string {
  if (Object.hasOwn(IRREGULAR, verb)) return IRREGULAR[verb] as string
  const stem = verb.replace(PREFIX, '')
  if (stem !== verb && Object.hasOwn(IRREGULAR, stem)) return `${PREFIX.exec(verb)?.[0] ?? ''}${IRREGULAR[stem]}`
  if (verb.endsWith('e')) return `${verb}d`
  if (/[^aeiou]y$/.test(verb)) return `${verb.slice(0, -1)}ied`
  const doubles = /^[^aeiou]+[aeiou][bdgklmnprt]$/.test(verb) || DOUBLING.has(verb)
  return doubles ? `${verb}${verb.at(-1)}ed` : `${verb}ed`
}
