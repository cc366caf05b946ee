import { endpointStatuses, modes } from '../../codes.ts'
import type { EndpointEffect } from '../../rows.ts'
import type { Session } from '../session.ts'
import { noteDisabled, noteRecovered } from './notices.ts'
import { insertAudit } from './audit.ts'

const DISABLED = endpointStatuses.encode('disabled')

export interface AppliedEffect {
  /** Its reference. */
  endpoint: number
  effect: EndpointEffect
}

/** What outcomes do to their endpoints, in the order of the endpoints. Returns the new configuration version, if there is one. */
export async function applyEffects(
  db: Session,
  effects: readonly AppliedEffect[],
  now: number,
): Promise<number | null> {
  let bumped: number | null = null
  for (const { endpoint, effect } of effects.toSorted((a, b) => a.endpoint - b.endpoint)) {
    if (effect.kind === 'failing_since') {
      await db.run(
        'UPDATE endpoints SET failing_since = $1 WHERE ref = $2 AND failing_since IS NULL',
        ...[effect.at, endpoint],
      )
    } else if (effect.kind === 'recovered') {
      const before = await db.row(
        `UPDATE endpoints p SET failing_since = NULL
         FROM (SELECT ref, failing_since FROM endpoints WHERE ref = $1 AND failing_since IS NOT NULL FOR UPDATE) AS was
         WHERE p.ref = was.ref RETURNING was.failing_since`,
        endpoint,
      )
      if (before !== undefined) await noteRecovered(db, endpoint, before['failing_since'] as number, now)
    } else {
      bumped = (await disable(db, endpoint, effect.reason, now)) ?? bumped
    }
  }
  return bumped
}

async function disable(db: Session, endpoint: number, reason: string, now: number): Promise<number | null> {
  const row = await db.row(
    `UPDATE endpoints SET status = $1, disabled_reason = $2, disabled_at = $3, updated_at = $3
     WHERE ref = $4 AND status <> $1 AND deleted_at IS NULL RETURNING id, tenant_id, mode`,
    ...[DISABLED, reason, now, endpoint],
  )
  if (row === undefined) return null
  await insertAudit(db, {
    ...{ mode: modes.decode(row['mode']), tenantId: row['tenant_id'] as string, at: now, actor: 'system' },
    ...{ action: 'endpoint.disabled', target: row['id'] as string, detail: { reason }, requestId: null },
  })
  await noteDisabled(db, endpoint, reason, now)
  return db.bumpConfigVersion()
}
