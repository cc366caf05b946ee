import type { DatabaseSync } from 'node:sqlite'

/** The setting that says where everything in this database has gone. */
export const MOVED_TO = 'moved_to'

/** In words; `null`: it is here. */
export function placeMovedTo(handle: DatabaseSync): string | null {
  const place = handle.prepare('SELECT value FROM settings WHERE name = ?').get(MOVED_TO)?.['value']
  return place === undefined ? null : String(place)
}

/**
 * Two servers on what was one database would send everything that is pending twice.
 * @throws Error when the database has moved to another place
 */
export function refuseMoved(handle: DatabaseSync): void {
  const place = placeMovedTo(handle)
  if (place === null) return
  throw new Error(
    `this database has moved to ${place}: start Runbell with that one; to go on with this one as it was, make it anew with runbell restore`,
  )
}
