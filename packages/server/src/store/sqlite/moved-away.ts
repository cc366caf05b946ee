import type { DatabaseSync } from 'node:sqlite'

/** The setting that says where everything in this database has gone. */
export const MOVED_TO = 'moved_to'

/**
 * Two servers on what was one database would send everything that is pending twice.
 * @throws Error when the database has moved to another place
 */
export function refuseMoved(handle: DatabaseSync): void {
  const place = handle.prepare('SELECT value FROM settings WHERE name = ?').get(MOVED_TO)?.['value']
  if (place === undefined) return
  throw new Error(
    `this database has moved to ${String(place)}: start Runbell with that one; to go on with this one as it was, make it anew with runbell restore`,
  )
}
