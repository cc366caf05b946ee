import type { ReadScope } from '../../store/rows.ts'
import type { DeliveryGroup, EndedFilter } from '../../store/surveys.ts'
import type { Store } from '../../store/store.ts'
import { timeView } from '../views/time.ts'

export const GROUPINGS = ['endpoint', 'error_code', 'type'] as const
export type Grouping = (typeof GROUPINGS)[number]

/** Deliveries in one step of a walk; others read between two. */
const STEP = 2000

/** All groups of a walk, one step after the other. */
export async function* surveyAll(
  store: Pick<Store, 'surveyDeliveries'>,
  scope: ReadScope,
  filter: EndedFilter,
): AsyncGenerator<{ groups: DeliveryGroup[]; upTo: number }> {
  let upTo: number | null = null
  for (let after: number | null = 0; after !== null;) {
    const step: Awaited<ReturnType<Store['surveyDeliveries']>> = await store.surveyDeliveries({
      ...{ scope, filter, after, upTo, limit: STEP },
    })
    upTo = step.upTo
    after = step.next
    yield { groups: step.groups, upTo }
  }
}

/** Dead letters that have in common what they are grouped by. */
export interface DeadLetterGroupView {
  endpoint_id?: string
  error_code?: string | null
  type?: string
  count: number
  first_at: string
  last_at: string
  /** Its latest one. */
  example_delivery_id: string
}

/** The largest groups first. @param limit groups of the answer */
export async function groupDeadLetters(
  store: Pick<Store, 'surveyDeliveries'>,
  scope: ReadScope,
  filter: EndedFilter,
  { by, limit }: { by: readonly Grouping[]; limit: number },
): Promise<DeadLetterGroupView[]> {
  const merged = new Map<string, DeliveryGroup>()
  for await (const { groups } of surveyAll(store, scope, filter)) {
    for (const group of groups) {
      const key = JSON.stringify(by.map((what) => partOf(group, what)))
      const known = merged.get(key)
      merged.set(key, known === undefined ? group : merge(known, group))
    }
  }
  const largest = [...merged.values()].toSorted((a, b) => b.count - a.count)
  return largest.slice(0, limit).map((group) => ({
    ...Object.assign({}, ...by.map((what) => partOf(group, what))),
    count: group.count,
    first_at: timeView(group.firstAt),
    last_at: timeView(group.lastAt),
    example_delivery_id: group.exampleId,
  }))
}

function partOf({ endpointId, errorCode, eventType }: DeliveryGroup, what: Grouping): Record<string, string | null> {
  if (what === 'endpoint') return { endpoint_id: endpointId }
  return what === 'type' ? { type: eventType } : { error_code: errorCode }
}

/** The second was met later. */
function merge(one: DeliveryGroup, other: DeliveryGroup): DeliveryGroup {
  return {
    ...one,
    count: one.count + other.count,
    firstAt: Math.min(one.firstAt, other.firstAt),
    lastAt: Math.max(one.lastAt, other.lastAt),
    exampleId: other.exampleId,
  }
}
