import { modes } from '../../codes.ts'
import type { Store } from '../../store.ts'
import { insertAudit } from './audit.ts'
import type { PostgresContext } from './context.ts'

export async function noteListeners(
  { db }: PostgresContext,
  { endpointIds, now }: Parameters<Store['noteListeners']>[0],
): Promise<void> {
  await db.run(
    `UPDATE endpoints SET listened_at = $1 FROM (
       SELECT ref FROM endpoints WHERE id = ANY($2) AND listened_at < $1 AND deleted_at IS NULL ORDER BY ref FOR NO KEY UPDATE) AS noted
     WHERE endpoints.ref = noted.ref`,
    ...[now, endpointIds],
  )
}

/** Looked at before `dropRelays`, which is alone with the configuration. */
export async function findLoneRelay(
  { db }: Pick<PostgresContext, 'db'>,
  before: number,
): Promise<{ isThere: boolean; configVersion: number }> {
  const row = await db.row(
    'SELECT 1 FROM endpoints WHERE listened_at < $1 AND listened_at IS NOT NULL AND deleted_at IS NULL LIMIT 1',
    before,
  )
  return { isThere: row !== undefined, configVersion: await db.configVersion() }
}

export async function dropRelays(
  { db }: PostgresContext,
  { before, now, limit }: Parameters<Store['dropRelays']>[0],
): Promise<{ endpointIds: string[]; configVersion: number }> {
  const dropped = await db.rows(
    `UPDATE endpoints SET deleted_at = $1, settled = FALSE, disabled_reason = 'listener_gone', updated_at = $1,
       config = jsonb_set(config::jsonb, '{headers}', '{}')::text
     FROM (SELECT ref FROM endpoints WHERE listened_at < $2 AND listened_at IS NOT NULL AND deleted_at IS NULL
       ORDER BY listened_at LIMIT $3 FOR NO KEY UPDATE) AS alone
     WHERE endpoints.ref = alone.ref RETURNING endpoints.ref, id, mode, tenant_id`,
    ...[now, before, limit],
  )
  if (dropped.length === 0) return { endpointIds: [], configVersion: await db.configVersion() }
  await db.run(
    'DELETE FROM secrets WHERE endpoint = ANY($1)',
    dropped.map(({ ref }) => ref as number),
  )
  for (const { id, mode, tenant_id: tenantId } of dropped) {
    await insertAudit(db, {
      ...{ mode: modes.decode(mode), tenantId: tenantId as string, at: now, actor: 'system' },
      ...{ action: 'endpoint.deleted', target: id as string, detail: { reason: 'listener_gone' }, requestId: null },
    })
  }
  return { endpointIds: dropped.map(({ id }) => id as string), configVersion: await db.bumpConfigVersion() }
}
