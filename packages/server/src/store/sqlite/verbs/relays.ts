import type { Store } from '../../store.ts'
import { modes } from '../codes.ts'
import type { Row } from '../database.ts'
import { insertAudit } from './audit.ts'
import type { SqliteContext } from './context.ts'

export function noteListeners({ db }: SqliteContext, input: Parameters<Store['noteListeners']>[0]): void {
  const note = db.prepare(
    'UPDATE endpoints SET listened_at = ? WHERE id = ? AND listened_at < ? AND deleted_at IS NULL',
  )
  for (const id of input.endpointIds) note.run(input.now, id, input.now)
}

export function dropRelays(
  { db, endpointRefs }: SqliteContext,
  { before, now, limit }: Parameters<Store['dropRelays']>[0],
): { endpointIds: string[]; configVersion: number } {
  const alone = db
    .prepare(
      `SELECT ref, id, mode, tenant_id FROM endpoints INDEXED BY endpoints_relay
       WHERE listened_at < ? AND listened_at IS NOT NULL AND deleted_at IS NULL ORDER BY listened_at LIMIT ?`,
    )
    .all(before, limit) as Row[]
  if (alone.length === 0) return { endpointIds: [], configVersion: db.configVersion() }
  const drop = db.prepare(
    `UPDATE endpoints SET deleted_at = ?, settled = 0, disabled_reason = 'listener_gone', updated_at = ?,
       config = json_set(config, '$.headers', json('{}')) WHERE ref = ?`,
  )
  for (const { ref, id, mode, tenant_id: tenantId } of alone) {
    drop.run(now, now, ref as number)
    db.prepare('DELETE FROM secrets WHERE endpoint = ?').run(ref as number)
    insertAudit(db, {
      ...{ mode: modes.decode(mode), tenantId: tenantId as string, at: now, actor: 'system' },
      ...{ action: 'endpoint.deleted', target: id as string, detail: { reason: 'listener_gone' }, requestId: null },
    })
  }
  endpointRefs.clear()
  return { endpointIds: alone.map(({ id }) => id as string), configVersion: db.bumpConfigVersion() }
}
