import type { ClaimRef } from '../../rows.ts'
import type { Store } from '../../store.ts'
import type { Row } from '../database.ts'
import { isBeyond, nodeRef, type SqliteContext } from './context.ts'

type Input = Parameters<Store['releaseClaims']>[0]

/** The attempt never started, so its number is free again. */
export function releaseClaims({ db, endpointRefs }: SqliteContext, input: Input): void {
  const node = nodeRef(db, input.nodeId)
  const release = db.prepare(
    `UPDATE deliveries SET attempt_count = attempt_count - 1, node = NULL, started_at = NULL,
       due_at = CASE WHEN status = 0 THEN ? END, updated_at = ?
     WHERE position = ? AND node = ? AND attempt_count = ? RETURNING endpoint, classes`,
  )
  for (const { position, number, dueAt } of input.claims) {
    const row = release.get(dueAt, input.now, position, node, number)
    if (row === undefined) continue
    const { entry } = endpointRefs.byRef(row['endpoint'] as number)
    // What waits and may never be sent is ended by `cancelHeld`, which has to look again.
    if (entry.deleted) db.prepare('UPDATE endpoints SET settled = 0 WHERE ref = ?').run(entry.ref)
    if (isBeyond(row, entry)) db.prepare('UPDATE endpoints SET narrowed = 1 WHERE ref = ?').run(entry.ref)
  }
}

export function findClaims({ db }: SqliteContext, input: { nodeId: string; limit: number }): ClaimRef[] {
  const rows = db
    .prepare('SELECT position, attempt_count FROM deliveries WHERE node = ? LIMIT ?')
    .all(nodeRef(db, input.nodeId), input.limit) as Row[]
  return rows.map((row) => ({ position: row['position'] as number, number: row['attempt_count'] as number }))
}
