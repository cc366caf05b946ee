import type { EventRow } from '../../store/rows.ts'
import { goneEventView, eventView } from '../views/event-view.ts'
import { cutForKey, holdsAll } from './cut-for-key.ts'
import type { Reader } from './note-views.ts'

/** An event as JSON text, as far as the key may see it (details 11). */
export function eventTextFor({ context, principal }: Reader, row: EventRow): string {
  if (row.payloadGone !== null) return goneEventView(row)
  return eventView(row, cutForKey(context, principal, row), holdsAll(principal))
}
