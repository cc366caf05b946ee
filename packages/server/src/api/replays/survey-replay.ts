import type { AskedReplay } from '../../store/bulk-replays.ts'
import { OBSTACLES, type EndedFilter, type Obstacle, type Subscriber } from '../../store/surveys.ts'
import type { ReadScope } from '../../store/rows.ts'
import type { Store } from '../../store/store.ts'
import { surveyAll } from '../read/dead-letter-groups.ts'

/** Endpoints and types that an answer names; there may be as many as there are tenants. */
const MOST_NAMED = 100
/** Events in one step of a walk. */
const STEP = 2000

/** What a replay would find now. */
export interface ReplaySurvey {
  matched: number
  matchedBy: AskedReplay['matchedBy']
  skipped: Record<Obstacle, number>
  /** The highest position there was when the walk began. */
  upTo: number
  /** When the latest of the deliveries changed; 0: there are none. */
  newest: number
}

/** Counts the deliveries that would be reopened. */
export async function surveyReplay(
  store: Pick<Store, 'surveyDeliveries'>,
  scope: ReadScope,
  filter: EndedFilter,
): Promise<ReplaySurvey> {
  const tally = new Tally()
  let [upTo, newest] = [0, 0]
  for await (const step of surveyAll(store, scope, filter)) {
    upTo = step.upTo
    for (const { endpointId, eventType, obstacle, count, lastAt } of step.groups) {
      tally.add({ endpointId, eventType, obstacle, count })
      newest = Math.max(newest, lastAt)
    }
  }
  return { ...tally.result(), upTo, newest }
}

/** Counts the events that an endpoint would get. */
export async function surveyReplayTo(
  store: Pick<Store, 'surveyEvents'>,
  scope: ReadScope,
  filter: EndedFilter,
  subscriber: Subscriber,
): Promise<ReplaySurvey> {
  const { types, runId, since, until } = filter
  const { endpointId } = subscriber
  const tally = new Tally()
  let upTo: number | null = null
  for (let after: number | null = 0; after !== null;) {
    const step: Awaited<ReturnType<Store['surveyEvents']>> = await store.surveyEvents({
      ...{ scope, filter: { types, runId, since, until }, subscriber, after, upTo, limit: STEP },
    })
    upTo = step.upTo
    after = step.next
    for (const group of step.groups) tally.add({ ...group, endpointId })
  }
  return { ...tally.result(), upTo: upTo ?? 0, newest: 0 }
}

class Tally {
  readonly #endpoints = new Map<string, number>()
  readonly #types = new Map<string, number>()
  readonly #skipped = Object.fromEntries(OBSTACLES.map((obstacle) => [obstacle, 0])) as Record<Obstacle, number>
  #matched = 0

  add(group: { endpointId: string; eventType: string; obstacle: Obstacle | null; count: number }): void {
    const { endpointId, eventType, obstacle, count } = group
    this.#matched += count
    this.#endpoints.set(endpointId, (this.#endpoints.get(endpointId) ?? 0) + count)
    this.#types.set(eventType, (this.#types.get(eventType) ?? 0) + count)
    if (obstacle !== null) this.#skipped[obstacle] += count
  }

  result(): Pick<ReplaySurvey, 'matched' | 'matchedBy' | 'skipped'> {
    const matchedBy = { endpoints: largest(this.#endpoints), types: largest(this.#types) }
    return { matched: this.#matched, matchedBy, skipped: this.#skipped }
  }
}

function largest(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].toSorted(([, a], [, b]) => b - a).slice(0, MOST_NAMED)
}
