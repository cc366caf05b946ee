import { matchesFilter } from '../../core/filter/match-filter.ts'
import { readFilter } from '../../core/filter/read-filter.ts'
import { viewStored } from '../../core/stored-event.ts'
import type { EndpointRow, EventRow } from '../../store/rows.ts'
import type { ApiContext } from '../context.ts'
import { contractOf } from './cut-for-key.ts'

/** Whether a stored event passes an endpoint's filter, as if it were accepted now. The payload must be there. */
export function passesNow(context: ApiContext, event: EventRow, { filter }: Pick<EndpointRow, 'filter'>): boolean {
  if (filter === null) return true
  const read = readFilter(filter)
  return !read.ok || matchesFilter(read.filter, viewStored(event, contractOf(context, event)))
}
