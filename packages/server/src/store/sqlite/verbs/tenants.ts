import type { DataClass } from '@runbell/sdk/contract'
import { ALWAYS_GRANTED, maskOf } from '../../../core/data-classes.ts'
import type { CursorPage, EndpointRow, TenantLimits, TenantRow } from '../../rows.ts'
import type { Store } from '../../store.ts'
import { modes } from '../codes.ts'
import type { Database, Row } from '../database.ts'
import { grantsOf, type SqliteContext } from './context.ts'
import { cancelBeyond } from './end-pending.ts'
import { configOf } from './endpoint-rows.ts'
import { Where, collectPage } from './where.ts'

/** Deliveries of one endpoint that a change of its grants ends in its own transaction: it must not hold up acceptance. */
const CANCEL_AT_ONCE = 1000

export function listTenants(
  { db }: SqliteContext,
  { scope, page }: Parameters<Store['listTenants']>[0],
): CursorPage<TenantRow> {
  const where = new Where().scope('tenants', scope).before('position', page.after)
  const rows = db
    .prepare(`SELECT * FROM tenants ${where.text} ORDER BY position DESC`)
    .iterate(...where.values) as Iterable<Row>
  const found = collectPage(rows, page.limit, () => true)
  return { rows: found.rows.map(tenantFrom), next: found.next }
}

export function putTenant(
  { db, endpointRefs }: SqliteContext,
  { mode, tenantId, maxDataClasses, limits, decidesApprovals, now }: Parameters<Store['putTenant']>[0],
): Awaited<ReturnType<Store['putTenant']>> {
  const code = modes.encode(mode)
  const classes = maxDataClasses === null ? null : JSON.stringify(maxDataClasses)
  db.prepare(
    `INSERT INTO tenants (mode, tenant_id, max_data_classes, events_per_second, max_pending, decides_since, created_at,
       updated_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (mode, tenant_id)
     DO UPDATE SET max_data_classes = excluded.max_data_classes, events_per_second = excluded.events_per_second,
       max_pending = excluded.max_pending, decides_since = CASE WHEN excluded.decides_since IS NULL THEN NULL
         ELSE coalesce(tenants.decides_since, excluded.decides_since) END, updated_at = excluded.updated_at`,
  ).run(code, tenantId, classes, limits.eventsPerSecond, limits.maxPending, decidesApprovals ? now : null, now, now)
  if (maxDataClasses !== null) narrowAll(db, code, tenantId, maxDataClasses, now)
  endpointRefs.clear()
  const row = db.prepare('SELECT * FROM tenants WHERE mode = ? AND tenant_id = ?').get(code, tenantId) as Row
  return { tenant: tenantFrom(row), configVersion: db.bumpConfigVersion() }
}

/** Whether an endpoint has grants that its tenant's limit does not allow. */
export function exceedsTenant(
  db: Database,
  mode: number,
  { tenantId, dataClasses }: Pick<EndpointRow, 'tenantId' | 'dataClasses'>,
): boolean {
  const row = db.prepare('SELECT max_data_classes FROM tenants WHERE mode = ? AND tenant_id = ?').get(mode, tenantId)
  const text = row?.['max_data_classes'] as string | null | undefined
  if (text == null) return false
  return (maskOf(dataClasses) & ~(maskOf(JSON.parse(text) as DataClass[]) | ALWAYS_GRANTED)) !== 0
}

/**
 * Ends pending deliveries that would send more than is granted from now on; what is left, `cancelHeld` ends. What is still
 * left of an earlier time when grants are widened is ended first, all of it: nothing that was given up comes back.
 */
export function changeGrants(db: Database, before: EndpointRow, after: EndpointRow, now: number): void {
  const endpoint = before.position
  const [had, has] = [grantsOf(before), grantsOf(after)]
  const { narrowed } = db.prepare('SELECT narrowed FROM endpoints WHERE ref = ?').get(endpoint) as Row
  if (narrowed === 1 && (has & ~had) !== 0) cancelBeyond(db, { endpoint, grants: had, now, limit: null })
  if ((had & ~has) === 0) return
  db.prepare('UPDATE endpoints SET narrowed = 1 WHERE ref = ?').run(endpoint)
  cancelBeyond(db, { endpoint, grants: has, now, limit: CANCEL_AT_ONCE })
}

function narrowAll(db: Database, mode: number, tenantId: string, max: readonly DataClass[], now: number): void {
  const allowed = maskOf(max) | ALWAYS_GRANTED
  const rows = db
    .prepare('SELECT ref, config FROM endpoints WHERE mode = ? AND tenant_id = ? AND deleted_at IS NULL')
    .all(mode, tenantId) as Row[]
  for (const row of rows) {
    const config = JSON.parse(row['config'] as string) as EndpointRow
    const dataClasses = config.dataClasses.filter((name) => (maskOf([name]) & ~allowed) === 0)
    if (dataClasses.length === config.dataClasses.length) continue
    const before = { ...config, position: row['ref'] as number }
    const after = { ...before, dataClasses }
    db.prepare('UPDATE endpoints SET config = ?, updated_at = ? WHERE ref = ?').run(
      configOf(after),
      now,
      before.position,
    )
    changeGrants(db, before, after, now)
  }
}

/** What a tenant may publish; a tenant without a row has no limits of its own. */
export function limitsOf(db: Database, mode: number, tenantId: string): TenantLimits {
  const row = db
    .prepare('SELECT events_per_second, max_pending FROM tenants WHERE mode = ? AND tenant_id = ?')
    .get(mode, tenantId)
  return row === undefined ? { eventsPerSecond: null, maxPending: null } : limitsFrom(row)
}

function limitsFrom(row: Row): TenantLimits {
  return {
    eventsPerSecond: row['events_per_second'] as number | null,
    maxPending: row['max_pending'] as number | null,
  }
}

export function countPending(
  { db }: SqliteContext,
  { mode, tenantId, limit }: Parameters<Store['countPending']>[0],
): number {
  const row = db
    .prepare(
      `SELECT count(*) AS count FROM (
         SELECT 1 FROM deliveries WHERE mode = ? AND tenant_id = ? AND due_at IS NOT NULL LIMIT ?)`,
    )
    .get(modes.encode(mode), tenantId, limit)
  return row?.['count'] as number
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
