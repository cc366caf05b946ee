import type { Clock } from '../core/clock.ts'
import { maskOf } from '../core/data-classes.ts'
import type { BodyWant } from '../core/event-bodies.ts'
import type { EventView } from '../core/filter/event-view.ts'
import type { Filter } from '../core/filter/filter.ts'
import { matchesFilter } from '../core/filter/match-filter.ts'
import { readFilter } from '../core/filter/read-filter.ts'
import { subscribes } from '../core/match.ts'
import type { CheckedEvent } from '../core/checked-event.ts'
import type { MatchEntry, MatchSet, TenantLimits } from '../store/rows.ts'
import type { Store } from '../store/store.ts'

export interface Match {
  readonly endpoints: readonly MatchedEndpoint[]
  /** Some of them have a filter, which has not been asked yet. */
  readonly filtered: boolean
  /** Of the event's tenant. */
  limits: TenantLimits
  configVersion: number
}

export interface MatchedEndpoint {
  readonly endpointId: string
  readonly ordered: boolean
  readonly filter: Filter | null
  readonly want: Readonly<BodyWant>
}

/** Tenants whose endpoints are kept in memory at once; the one not asked for longest goes first. */
const MAX_TENANTS = 2000

/** Types of a tenant that are remembered; there are seldom more, and one that is not is matched anew. */
const MAX_TYPES = 1000

/** With when it was read, monotonic, and what its types have matched so far. */
type ReadSet = MatchSet & { readAt: number; byType: Map<string, Match>; filters: Map<MatchEntry, Filter> }

export type Matcher = ReturnType<typeof createMatcher>

/**
 * Finds the endpoints an event goes to, from a copy in memory. The copy may be old: the accepting transaction
 * compares its version and refuses what was matched with an older one (guarantee G5).
 */
export function createMatcher(store: Store, clock: Pick<Clock, 'monotonic'>) {
  const sets = new Map<string, ReadSet>()
  const loads = new Map<string, Promise<ReadSet>>()
  const keyOf = (event: Pick<CheckedEvent, 'mode' | 'tenantId'>) => `${event.mode}:${event.tenantId}`

  function matchIn(set: ReadSet, type: string): Match {
    const known = set.byType.get(type)
    if (known !== undefined) return known
    const matching = set.entries.filter((entry) => subscribes(entry.eventTypes, type))
    const { limits, configVersion } = set
    const endpoints = matching.map((entry) => matched(entry, set.filters.get(entry) ?? null, type))
    const filtered = endpoints.some(({ filter }) => filter !== null)
    const match = { endpoints, filtered, limits, configVersion }
    if (set.byType.size < MAX_TYPES) set.byType.set(type, match)
    return match
  }

  /** The last key of `sets` is the one that was asked for last. */
  function keep(key: string, set: ReadSet): void {
    sets.delete(key)
    if (sets.size >= MAX_TENANTS) sets.delete(sets.keys().next().value as string)
    sets.set(key, set)
  }

  /** All who ask meanwhile share one read: after a change of an endpoint, every event in flight asks. */
  function load(event: CheckedEvent, key: string): Promise<ReadSet> {
    const running = loads.get(key)
    if (running !== undefined) return running
    const readAt = clock.monotonic()
    const started = store
      .loadMatchSet({ tenantId: event.tenantId, mode: event.mode })
      .then((set) => ({ ...set, readAt, byType: new Map<string, Match>(), filters: filtersOf(set.entries) }))
      .finally(() => {
        if (loads.get(key) === started) loads.delete(key)
      })
    loads.set(key, started)
    return started
  }

  return {
    /** The match by type if the tenant's endpoints are in memory, else `null`. */
    cached(event: CheckedEvent): Match | null {
      const key = keyOf(event)
      const set = sets.get(key)
      if (set === undefined) return null
      keep(key, set)
      return matchIn(set, event.type)
    },

    async match(event: CheckedEvent): Promise<Match> {
      const key = keyOf(event)
      const set = await load(event, key)
      keep(key, set)
      return matchIn(set, event.type)
    },

    /** How old the copy in memory is, in ms; `Infinity` where there is none. */
    ageOf(event: CheckedEvent): number {
      const set = sets.get(keyOf(event))
      return set === undefined ? Infinity : clock.monotonic() - set.readAt
    },

    /** Drops what is older than this version. */
    forget(configVersion: number): void {
      for (const [key, set] of sets) if (set.configVersion < configVersion) sets.delete(key)
      // What is being read may be older too.
      loads.clear()
    },
  }
}

function matched({ endpointId, ordering, ...entry }: MatchEntry, filter: Filter | null, type: string): MatchedEndpoint {
  return { endpointId, ordered: ordering === 'run', filter, want: wantOf(entry, type) }
}

/**
 * The filters of a set, read once each. One that cannot be read was written by a newer version: its endpoint gets every
 * event of its types, since to get too much of what it may see harms less than to lose events without a word.
 */
function filtersOf(entries: readonly MatchEntry[]): Map<MatchEntry, Filter> {
  const filters = new Map<MatchEntry, Filter>()
  for (const entry of entries) {
    if (entry.filter === null) continue
    const read = readFilter(entry.filter)
    if (read.ok) filters.set(entry, read.filter)
  }
  return filters
}

/** What is left of a match when the filters of its endpoints are asked. Costs nothing where none has one. */
export function passing(match: Match, event: { view(): EventView }): Match {
  if (!match.filtered) return match
  const view = event.view()
  const endpoints = match.endpoints.filter(({ filter }) => filter === null || matchesFilter(filter, view))
  return { ...match, endpoints, filtered: false }
}

/**
 * What an endpoint wants of events of a type. Where no version is pinned it is 1: pins above it are set when an endpoint
 * subscribes, and a type it first sees later starts at its first version (details 16).
 */
export function wantOf(
  endpoint: Pick<MatchEntry, 'format' | 'dataClasses' | 'schemaVersions'>,
  type: string,
): BodyWant {
  const { format, dataClasses, schemaVersions } = endpoint
  if (format === 'mcp_event') throw new Error('no endpoint can have this format yet')
  const pin = Object.hasOwn(schemaVersions, type) ? (schemaVersions[type] as number) : 1
  return { format, grants: maskOf(dataClasses), pin }
}
