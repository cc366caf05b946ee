import { endpointStatuses, modes } from '../../codes.ts'
import type { EndpointChange, EndpointPatch, EndpointRow } from '../../rows.ts'
import type { Store } from '../../store.ts'
import { orderingOf, ORDERINGS } from '../../turns.ts'
import type { Session } from '../session.ts'
import type { PostgresContext } from './context.ts'
import { noteDisabled } from './notices.ts'
import { configOf, insertSecrets } from './endpoint-rows.ts'
import { findEndpoint } from './endpoints.ts'
import { releaseHeldLanes } from './lanes.ts'
import { changeGrants, exceedsTenant } from './tenants.ts'

type Input = Parameters<Store['changeEndpoint']>[0]
type Output = Awaited<ReturnType<Store['changeEndpoint']>>

export async function changeEndpoint(context: PostgresContext, input: Input): Promise<Output> {
  const { db } = context
  const endpoint = await findEndpoint(context, input)
  if (endpoint === null || !(await applies(db, endpoint, input.change, input.now))) return null
  await db.run('UPDATE endpoints SET updated_at = $1 WHERE ref = $2', input.now, endpoint.position)
  const changed = (await findEndpoint(context, input)) ?? { ...endpoint, updatedAt: input.now }
  return { endpoint: changed, configVersion: await db.bumpConfigVersion() }
}

/** Makes the change; `false`: it does not fit. */
async function applies(db: Session, endpoint: EndpointRow, change: EndpointChange, now: number): Promise<boolean> {
  switch (change.kind) {
    case 'patch':
      return patch(db, endpoint, change.patch, now)
    case 'status':
      return setStatus(db, endpoint, change, now)
    case 'delete':
      return remove(db, endpoint, now)
    case 'add_secret':
      return addSecret(db, endpoint, change, now)
    case 'remove_secret':
      return removeSecret(db, endpoint, change.secretId, now)
  }
}

async function patch(db: Session, endpoint: EndpointRow, changes: EndpointPatch, now: number): Promise<boolean> {
  const patched = { ...endpoint, ...changes }
  if (changes.dataClasses !== undefined) {
    if (await exceedsTenant(db, modes.encode(endpoint.mode), patched)) return false
    await changeGrants(db, endpoint, patched, now)
  }
  await db.run(
    `UPDATE endpoints SET config = $1, max_attempts = $2,
       ordering = CASE WHEN $3::smallint = ${ORDERINGS.never} AND ordering <> ${ORDERINGS.never} THEN ${ORDERINGS.formerly} ELSE $3 END
     WHERE ref = $4`,
    ...[configOf(patched), patched.retrySchedule.length + 1, orderingOf(patched), endpoint.position],
  )
  if (orderingOf(endpoint) === ORDERINGS.hold && orderingOf(patched) !== ORDERINGS.hold) {
    await releaseHeldLanes(db, endpoint.position)
  }
  if (changes.secrets === undefined) return true
  await db.run('DELETE FROM secrets WHERE endpoint = $1', endpoint.position)
  await insertSecrets(db, endpoint.position, patched.secrets)
  return true
}

async function setStatus(
  db: Session,
  endpoint: EndpointRow,
  { status, reason }: Extract<EndpointChange, { kind: 'status' }>,
  now: number,
): Promise<boolean> {
  await db.run(
    `UPDATE endpoints SET status = $1, disabled_reason = $2, disabled_at = $3,
       failing_since = CASE WHEN $4 THEN NULL ELSE failing_since END WHERE ref = $5`,
    endpointStatuses.encode(status),
    reason,
    status === 'disabled' ? now : null,
    status === 'enabled',
    endpoint.position,
  )
  if (status === 'disabled') await noteDisabled(db, endpoint.position, reason, now)
  return true
}

/** Nothing needs the headers of an endpoint that is deleted, nor its secrets. */
async function remove(db: Session, endpoint: EndpointRow, now: number): Promise<boolean> {
  await db.run(
    'UPDATE endpoints SET deleted_at = $1, settled = FALSE, config = $2 WHERE ref = $3',
    ...[now, configOf({ ...endpoint, headers: {} }), endpoint.position],
  )
  await db.run('DELETE FROM secrets WHERE endpoint = $1', endpoint.position)
  return true
}

async function addSecret(
  db: Session,
  endpoint: EndpointRow,
  { secret, retireAt, max }: Extract<EndpointChange, { kind: 'add_secret' }>,
  now: number,
): Promise<boolean> {
  if (endpoint.secrets.some(({ id }) => id === secret.id)) return true
  const ref = endpoint.position
  await db.run('DELETE FROM secrets WHERE endpoint = $1 AND expires_at <= $2', ref, now)
  await db.run(
    'UPDATE secrets SET expires_at = least(coalesce(expires_at, $1), $1) WHERE endpoint = $2 AND kind = $3',
    ...[retireAt, ref, secret.kind],
  )
  await db.run('DELETE FROM secrets WHERE endpoint = $1 AND kind = $2 AND expires_at <= $3', ref, secret.kind, now)
  await insertSecrets(db, ref, [secret])
  // The oldest go first, never one that a receiver may have been given since.
  await db.run(
    `DELETE FROM secrets WHERE endpoint = $1 AND kind = $2 AND id NOT IN (
       SELECT id FROM secrets WHERE endpoint = $1 AND kind = $2 ORDER BY ordinal DESC LIMIT $3)`,
    ...[ref, secret.kind, max],
  )
  return true
}

async function removeSecret(db: Session, endpoint: EndpointRow, secretId: string, now: number): Promise<boolean> {
  const secret = endpoint.secrets.find(({ id }) => id === secretId)
  if (secret === undefined) return false
  const remaining = endpoint.secrets.filter(
    ({ id, kind, expiresAt }) => id !== secretId && kind === secret.kind && (expiresAt === null || expiresAt > now),
  )
  if (remaining.length === 0) return false
  await db.run('DELETE FROM secrets WHERE id = $1', secretId)
  return true
}
