import { subscribes } from '../core/match.ts'
import type { CheckedEvent } from '../core/checked-event.ts'
import type { MatchSet } from '../store/rows.ts'
import type { Store } from '../store/store.ts'

export interface Match {
  endpoints: { endpointId: string; ordered: boolean }[]
  configVersion: number
}

/** Tenants whose endpoints are kept in memory at once; the one not asked for longest goes first. */
const MAX_TENANTS = 2000

/**
 * Finds the endpoints an event goes to, from a copy in memory. The copy may be old: the accepting transaction
 * compares its version and refuses what was matched with an older one (guarantee G5).
 */
export function createMatcher(store: Store) {
  const sets = new Map<string, MatchSet>()
  const loads = new Map<string, Promise<MatchSet>>()
  const keyOf = (event: Pick<CheckedEvent, 'mode' | 'tenantId'>) => `${event.mode}:${event.tenantId}`

  function matchIn(set: MatchSet, type: string): Match {
    const matching = set.entries.filter((entry) => subscribes(entry.eventTypes, type))
    const endpoints = matching.map(({ endpointId, ordering }) => ({ endpointId, ordered: ordering === 'run' }))
    return { endpoints, configVersion: set.configVersion }
  }

  /** The last key of `sets` is the one that was asked for last. */
  function keep(key: string, set: MatchSet): void {
    sets.delete(key)
    if (sets.size >= MAX_TENANTS) sets.delete(sets.keys().next().value as string)
    sets.set(key, set)
  }

  /** All who ask meanwhile share one read: after a change of an endpoint, every event in flight asks. */
  function load(event: CheckedEvent, key: string): Promise<MatchSet> {
    const running = loads.get(key)
    if (running !== undefined) return running
    const started = store.loadMatchSet({ tenantId: event.tenantId, mode: event.mode }).finally(() => {
      if (loads.get(key) === started) loads.delete(key)
    })
    loads.set(key, started)
    return started
  }

  return {
    /** The match if the tenant's endpoints are in memory, else `null`. */
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

    /** Drops what is older than this version. */
    forget(configVersion: number): void {
      for (const [key, set] of sets) if (set.configVersion < configVersion) sets.delete(key)
      // What is being read may be older too.
      loads.clear()
    },
  }
}
