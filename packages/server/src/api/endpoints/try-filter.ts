import type { FilterCheck, FilterExplanation } from '@runbell/sdk/contract'
import { CONTAINER } from '../../core/filter/event-view.ts'
import type { Filter } from '../../core/filter/filter.ts'
import { explainFilter, matchesFilter, type Explained } from '../../core/filter/match-filter.ts'
import { subscribes } from '../../core/match.ts'
import { formatTime } from '../../core/render.ts'
import { viewStored } from '../../core/stored-event.ts'
import type { EndpointRow, EventRow } from '../../store/rows.ts'
import { payloadGone } from '../http/problem.ts'
import { contractOf } from '../read/cut-for-key.ts'
import { noteViews, type Reader } from '../read/note-views.ts'

/** Events that are looked at. */
export const TRIED_EVENTS = 200
/** In steps, so that neither memory nor the event loop is taken by 200 large ones at once. */
const STEP = 20
const EXAMPLES = 5
const MAX_SHOWN = 200

/** Tries a filter on the latest events of an endpoint's types. Each look at a payload is put on record. */
export async function tryFilter(
  call: Reader,
  { mode, tenantId, eventTypes }: EndpointRow,
  filter: Filter | null,
): Promise<Pick<FilterCheck, 'events' | 'examples'>> {
  const { context } = call
  const counts = { looked_at: 0, matched: 0, payload_gone: 0, since: null as string | null }
  const examples = { matched: [] as string[], not_matched: [] as string[] }
  const query = {
    scope: { mode, tenantId: tenantId === '*' ? null : tenantId },
    // An empty list is every type there, also service events, and every type but those here.
    filter: { types: eventTypes.length === 0 ? ['*'] : eventTypes, runId: null, since: null, until: null },
  }
  let seen = 0
  for (let after: number | null = null; seen < TRIED_EVENTS;) {
    const page = await context.store.listEvents({ ...query, page: { after, limit: STEP } })
    await noteViews(call, page.rows)
    for (const event of page.rows) {
      counts.since = formatTime(event.recordedAt)
      if (event.payloadGone !== null) counts.payload_gone += 1
      else {
        counts.looked_at += 1
        const matched = filter === null || matchesFilter(filter, viewStored(event, contractOf(context, event)))
        if (matched) counts.matched += 1
        const ids = matched ? examples.matched : examples.not_matched
        if (ids.length < EXAMPLES) ids.push(event.eventId)
      }
    }
    seen += page.rows.length
    if (page.next === null) break
    after = page.next
  }
  return { events: counts, examples }
}

/** Says of one event why it passes or not. @throws Refused `payload_expired` */
export async function explainEvent(
  call: Reader,
  endpoint: EndpointRow,
  filter: Filter | null,
  event: EventRow,
): Promise<FilterExplanation> {
  if (event.payloadGone !== null) throw payloadGone()
  await noteViews(call, [event])
  const view = viewStored(event, contractOf(call.context, event))
  return {
    event_id: event.eventId,
    type: event.type,
    subscribed: subscribes(endpoint.eventTypes, event.type),
    matched: filter === null || matchesFilter(filter, view),
    conditions: filter === null ? [] : explainFilter(filter, view).map(conditionView),
  }
}

function conditionView({ condition, found, holds }: Explained): FilterExplanation['conditions'][number] {
  const named = { path: `/filter${condition.path}`, field: condition.pointer, holds }
  if (found === undefined) return { ...named, found: 'absent' }
  if (found === CONTAINER) return { ...named, found: 'list_or_object' }
  const isLong = typeof found === 'string' && found.length > MAX_SHOWN
  return { ...named, found: 'value', value: isLong ? `${found.slice(0, MAX_SHOWN)}…` : shown(found) }
}

/** A number beyond what JSON can write is shown as what it is. */
function shown(value: string | number | boolean | null): string | number | boolean | null {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}
