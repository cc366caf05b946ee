import type { EndpointChange, EndpointRow } from '../../rows.ts'
import type { Store } from '../../store.ts'
import { orderingOf, type Ordering } from '../../turns.ts'
import { endpointStatuses, modes } from '../codes.ts'
import type { Database } from '../database.ts'
import type { SqliteContext } from './context.ts'
import { configOf, insertSecret } from './endpoint-rows.ts'
import { noteDisabled } from './notices.ts'
import { findEndpoint } from './endpoints.ts'
import { releaseHeldLanes } from './lanes.ts'
import { changeGrants, exceedsTenant } from './tenants.ts'

type Input = Parameters<Store['changeEndpoint']>[0]
type Output = Awaited<ReturnType<Store['changeEndpoint']>>

export function changeEndpoint(context: SqliteContext, input: Input): Output {
  const { db, endpointRefs } = context
  const endpoint = findEndpoint(context, input)
  if (endpoint === null || !appliesCleanly(context, endpoint, input)) return null
  endpointRefs.clear()
  db.prepare('UPDATE endpoints SET updated_at = ? WHERE ref = ?').run(input.now, endpoint.position)
  const changed = findEndpoint(context, input) ?? { ...endpoint, updatedAt: input.now }
  return { endpoint: changed, configVersion: db.bumpConfigVersion() }
}

/** Secrets that are replaced leave no copy in any file: those before may be from a time when they were not sealed. */
function appliesCleanly(context: SqliteContext, endpoint: EndpointRow, { change, now }: Input): boolean {
  const { db } = context
  if (change.kind !== 'patch' || change.patch.secrets === undefined) return applies(db, endpoint, change, now)
  db.handle.exec('PRAGMA secure_delete = ON')
  context.emptyLog = true
  try {
    return applies(db, endpoint, change, now)
  } finally {
    db.handle.exec('PRAGMA secure_delete = FAST')
  }
}

/** Makes the change; `false`: it does not fit. */
function applies(db: Database, endpoint: EndpointRow, change: EndpointChange, now: number): boolean {
  const ref = endpoint.position
  switch (change.kind) {
    case 'patch': {
      const patched = { ...endpoint, ...change.patch }
      if (change.patch.dataClasses !== undefined) {
        if (exceedsTenant(db, modes.encode(endpoint.mode), patched)) return false
        changeGrants(db, endpoint, patched, now)
      }
      db.prepare('UPDATE endpoints SET config = ?, max_attempts = ?, ordering = ? WHERE ref = ?').run(
        configOf(patched),
        patched.retrySchedule.length + 1,
        orderingOf(patched, orderingNow(db, ref)),
        ref,
      )
      if (endpoint.orderingOnDeadLetter === 'hold') releaseHeldLanes(db, ref, now)
      if (change.patch.secrets !== undefined) replaceSecrets(db, patched)
      return true
    }
    case 'status': {
      const disabled = change.status === 'disabled'
      db.prepare(
        `UPDATE endpoints SET status = ?, disabled_reason = ?, disabled_at = ?,
           failing_since = CASE WHEN ? = 'enabled' THEN NULL ELSE failing_since END WHERE ref = ?`,
      ).run(endpointStatuses.encode(change.status), change.reason, disabled ? now : null, change.status, ref)
      if (disabled) noteDisabled(db, ref, change.reason, now)
      return true
    }
    case 'delete': {
      db.prepare(
        `UPDATE endpoints SET deleted_at = ?, settled = 0, config = json_set(config, '$.headers', json('{}')) WHERE ref = ?`,
      ).run(now, ref)
      db.prepare('DELETE FROM secrets WHERE endpoint = ?').run(ref)
      return true
    }
    case 'add_secret':
      return addSecret(db, endpoint, change, now)
    case 'remove_secret':
      return removeSecret(db, endpoint, change.secretId, now)
  }
}

function orderingNow(db: Database, ref: number): Ordering {
  return db.prepare('SELECT ordering FROM endpoints WHERE ref = ?').get(ref)?.['ordering'] as Ordering
}

function replaceSecrets(db: Database, endpoint: EndpointRow): void {
  db.prepare('DELETE FROM secrets WHERE endpoint = ?').run(endpoint.position)
  for (const secret of endpoint.secrets.toReversed()) insertSecret(db, endpoint.position, secret)
}

function addSecret(
  db: Database,
  endpoint: EndpointRow,
  change: Extract<EndpointChange, { kind: 'add_secret' }>,
  now: number,
): boolean {
  const { secret, retireAt, max } = change
  if (endpoint.secrets.some(({ id }) => id === secret.id)) return true
  db.prepare('DELETE FROM secrets WHERE endpoint = ? AND expires_at <= ?').run(endpoint.position, now)
  db.prepare(`UPDATE secrets SET expires_at = min(coalesce(expires_at, ?), ?) WHERE endpoint = ? AND kind = ?`).run(
    retireAt,
    retireAt,
    endpoint.position,
    secret.kind,
  )
  db.prepare('DELETE FROM secrets WHERE endpoint = ? AND kind = ? AND expires_at <= ?').run(
    endpoint.position,
    secret.kind,
    now,
  )
  insertSecret(db, endpoint.position, secret)
  // The oldest go first, never one that a receiver may have been given since.
  db.prepare(
    `DELETE FROM secrets WHERE endpoint = ? AND kind = ? AND id NOT IN (
       SELECT id FROM secrets WHERE endpoint = ? AND kind = ? ORDER BY ordinal DESC LIMIT ?)`,
  ).run(endpoint.position, secret.kind, endpoint.position, secret.kind, max)
  return true
}

function removeSecret(db: Database, endpoint: EndpointRow, secretId: string, now: number): boolean {
  const secret = endpoint.secrets.find(({ id }) => id === secretId)
  if (secret === undefined) return false
  const remaining = endpoint.secrets.filter(
    ({ id, kind, expiresAt }) => id !== secretId && kind === secret.kind && (expiresAt === null || expiresAt > now),
  )
  if (remaining.length === 0) return false
  db.prepare('DELETE FROM secrets WHERE id = ?').run(secretId)
  return true
}
