import type { Store } from '../../store.ts'
import type { Row } from '../database.ts'
import type { SqliteContext } from './context.ts'

export function pruneEndpoints(
  { db, endpointRefs }: SqliteContext,
  { deletedBefore, limit }: Parameters<Store['pruneEndpoints']>[0],
): number {
  const endpoints = db
    .prepare(
      `SELECT ref FROM endpoints INDEXED BY endpoints_deleted
       WHERE deleted_at IS NOT NULL AND settled = 1 AND deleted_at < ?
         AND NOT EXISTS (SELECT 1 FROM deliveries WHERE endpoint = endpoints.ref) LIMIT ?`,
    )
    .all(deletedBefore, limit) as Row[]
  for (const { ref } of endpoints) {
    db.prepare('DELETE FROM secrets WHERE endpoint = ?').run(ref as number)
    db.prepare('DELETE FROM endpoints WHERE ref = ?').run(ref as number)
  }
  if (endpoints.length > 0) endpointRefs.clear()
  return endpoints.length
}

/** Pages at the end of the file are exchanged with free ones and cut off; the file itself shrinks with the next checkpoint. */
export function reclaimSpace(
  context: SqliteContext,
  { keepBytes, maxBytes }: Parameters<Store['reclaimSpace']>[0],
): number {
  const { handle } = context.db
  const read = (pragma: string) => Object.values(handle.prepare(`PRAGMA ${pragma}`).get() ?? {})[0] as number
  const pageBytes = read('page_size')
  const free = read('freelist_count')
  const pages = Math.floor(Math.min(free * pageBytes - keepBytes, maxBytes) / pageBytes)
  // Who wants all of it wants it now, and what the log has taken as well.
  if (keepBytes === 0) context.emptyLog = true
  if (pages <= 0) return 0
  handle.exec(`PRAGMA incremental_vacuum(${pages})`)
  return (free - read('freelist_count')) * pageBytes
}
