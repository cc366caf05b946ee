import type { ClaimRef } from '../../rows.ts'
import type { Store } from '../../store.ts'
import type { Row } from '../database.ts'
import { nodeRef, type SqliteContext } from './context.ts'

type Input = Parameters<Store['releaseClaims']>[0]

/** The attempt never started, so its number is free again. */
export function releaseClaims({ db }: SqliteContext, input: Input): void {
  const node = nodeRef(db, input.nodeId)
  const release = db.prepare(
    `UPDATE deliveries SET attempt_count = attempt_count - 1, node = NULL, started_at = NULL,
       due_at = CASE WHEN status = 0 THEN ? END, updated_at = ?
     WHERE position = ? AND node = ? AND attempt_count = ?`,
  )
  // A deleted endpoint's pending deliveries are ended by `cancelHeld`, which has to look again.
  const unsettle = db.prepare(
    `UPDATE endpoints SET settled = 0
     WHERE deleted_at IS NOT NULL AND ref = (SELECT endpoint FROM deliveries WHERE position = ?)`,
  )
  for (const { position, number, dueAt } of input.claims) {
    release.run(dueAt, input.now, position, node, number)
    unsettle.run(position)
  }
}

export function findClaims({ db }: SqliteContext, input: { nodeId: string; limit: number }): ClaimRef[] {
  const rows = db
    .prepare('SELECT position, attempt_count FROM deliveries WHERE node = ? LIMIT ?')
    .all(nodeRef(db, input.nodeId), input.limit) as Row[]
  return rows.map((row) => ({ position: row['position'] as number, number: row['attempt_count'] as number }))
}
