import type { DataClass } from '@runbell/sdk/contract'
import { ALWAYS_GRANTED, maskOf } from '../../../core/data-classes.ts'
import { modes } from '../../codes.ts'
import type { CursorPage, EndpointRow, TenantLimits, TenantRow } from '../../rows.ts'
import type { Store } from '../../store.ts'
import type { Row, Session } from '../session.ts'
import { cancelBeyond } from './cancel-beyond.ts'
import type { PostgresContext } from './context.ts'
import { grantsOf } from './endpoint-ref.ts'
import { configOf } from './endpoint-rows.ts'
import { Where, pageOf } from './where.ts'

/** Deliveries of one endpoint that a change of its grants ends in its own transaction: it must not hold up acceptance. */
const CANCEL_AT_ONCE = 1000

export async function listTenants(
  { db }: PostgresContext,
  { scope, page }: Parameters<Store['listTenants']>[0],
): Promise<CursorPage<TenantRow>> {
  const where = new Where().scope('tenants', scope).before('position', page.after)
  const sql = `SELECT * FROM tenants ${where.text} ORDER BY position DESC LIMIT ${where.place(page.limit + 1)}`
  const found = pageOf(await db.rows(sql, ...where.values), page.limit)
  return { rows: found.rows.map(tenantFrom), next: found.next }
}

export async function putTenant(
  { db }: PostgresContext,
  { mode, tenantId, maxDataClasses, limits, decidesApprovals, now }: Parameters<Store['putTenant']>[0],
): Promise<Awaited<ReturnType<Store['putTenant']>>> {
  const code = modes.encode(mode)
  const classes = maxDataClasses === null ? null : JSON.stringify(maxDataClasses)
  const values = [classes, limits.eventsPerSecond, limits.maxPending, now, code, tenantId]
  const deciding = decidesApprovals ? 'coalesce(decides_since, $4)' : 'NULL'
  const columns = `max_data_classes = $1, events_per_second = $2, max_pending = $3, updated_at = $4, decides_since = ${deciding}`
  const row =
    (await db.row(`UPDATE tenants SET ${columns} WHERE mode = $5 AND tenant_id = $6 RETURNING *`, ...values)) ??
    (await db.row(
      `INSERT INTO tenants (max_data_classes, events_per_second, max_pending, created_at, updated_at, decides_since, mode,
         tenant_id)
       VALUES ($1, $2, $3, $4, $4, ${decidesApprovals ? '$4' : 'NULL'}, $5, $6) RETURNING *`,
      ...values,
    ))
  if (maxDataClasses !== null) await narrowAll(db, { mode: code, tenantId, max: maxDataClasses, now })
  return { tenant: tenantFrom(row as Row), configVersion: await db.bumpConfigVersion() }
}

/** Whether an endpoint has grants that its tenant's limit does not allow. */
export async function exceedsTenant(
  db: Session,
  mode: number,
  { tenantId, dataClasses }: Pick<EndpointRow, 'tenantId' | 'dataClasses'>,
): Promise<boolean> {
  const row = await db.row(
    'SELECT max_data_classes FROM tenants WHERE mode = $1 AND tenant_id = $2',
    ...[mode, tenantId],
  )
  const text = row?.['max_data_classes'] as string | null | undefined
  if (text == null) return false
  return (maskOf(dataClasses) & ~(maskOf(JSON.parse(text) as DataClass[]) | ALWAYS_GRANTED)) !== 0
}

/**
 * Ends pending deliveries that would send more than is granted from now on; what is left, `cancelHeld` ends. What is still
 * left of an earlier time when grants are widened is ended first, all of it: nothing that was given up comes back.
 */
export async function changeGrants(db: Session, before: EndpointRow, after: EndpointRow, now: number): Promise<void> {
  const endpoint = before.position
  const [had, has] = [grantsOf(before), grantsOf(after)]
  const row = await db.row('SELECT narrowed FROM endpoints WHERE ref = $1', endpoint)
  if (row?.['narrowed'] === true && (has & ~had) !== 0) {
    await cancelBeyond(db, { endpoint, grants: had, now, limit: null })
  }
  if ((had & ~has) === 0) return
  await db.run('UPDATE endpoints SET narrowed = TRUE WHERE ref = $1', endpoint)
  await cancelBeyond(db, { endpoint, grants: has, now, limit: CANCEL_AT_ONCE })
}

async function narrowAll(
  db: Session,
  { mode, tenantId, max, now }: { mode: number; tenantId: string; max: readonly DataClass[]; now: number },
): Promise<void> {
  const allowed = maskOf(max) | ALWAYS_GRANTED
  const rows = await db.rows(
    'SELECT ref, config FROM endpoints WHERE mode = $1 AND tenant_id = $2 AND deleted_at IS NULL ORDER BY ref',
    ...[mode, tenantId],
  )
  for (const row of rows) {
    const config = JSON.parse(row['config'] as string) as EndpointRow
    const dataClasses = config.dataClasses.filter((name) => (maskOf([name]) & ~allowed) === 0)
    if (dataClasses.length === config.dataClasses.length) continue
    const before = { ...config, position: row['ref'] as number }
    const after = { ...before, dataClasses }
    await db.run(
      'UPDATE endpoints SET config = $1, updated_at = $2 WHERE ref = $3',
      ...[configOf(after), now, before.position],
    )
    await changeGrants(db, before, after, now)
  }
}

/** What a tenant may publish; a tenant without a row has no limits of its own. */
export async function limitsOf(db: Session, mode: number, tenantId: string): Promise<TenantLimits> {
  const row = await db.row(
    'SELECT events_per_second, max_pending FROM tenants WHERE mode = $1 AND tenant_id = $2',
    ...[mode, tenantId],
  )
  return row === undefined ? { eventsPerSecond: null, maxPending: null } : limitsFrom(row)
}

function limitsFrom(row: Row): TenantLimits {
  return {
    eventsPerSecond: row['events_per_second'] as number | null,
    maxPending: row['max_pending'] as number | null,
  }
}

function tenantFrom(row: Row): TenantRow {
  const max = row['max_data_classes'] as string | null
  return {
    position: row['position'] as number,
    tenantId: row['tenant_id'] as string,
    mode: modes.decode(row['mode']),
    maxDataClasses: max === null ? null : (JSON.parse(max) as DataClass[]),
    limits: limitsFrom(row),
    decidesSince: row['decides_since'] as number | null,
    createdAt: row['created_at'] as number,
    updatedAt: row['updated_at'] as number,
  }
}

/** Deliveries of a tenant that wait. By the index, also where the others' are few; see `Where.newest`. */
export async function countPending(
  { db }: PostgresContext,
  { mode, tenantId, limit }: Parameters<Store['countPending']>[0],
): Promise<number> {
  const row = await db.row(
    `SELECT count(*)::integer AS count FROM (
       SELECT 1 FROM queue WHERE (mode, tenant_id) >= ($1, $2) AND (mode, tenant_id) <= ($1, $2) AND due_at IS NOT NULL
       ORDER BY mode, tenant_id LIMIT $3) AS waiting`,
    ...[modes.encode(mode), tenantId, limit],
  )
  return row?.['count'] as number
}
