import type { CursorPage, EndpointRow, MatchEntry } from '../../rows.ts'
import type { Store } from '../../store.ts'
import { endpointKinds, endpointStatuses, modes } from '../codes.ts'
import type { Row } from '../database.ts'
import type { SqliteContext } from './context.ts'
import { orderingOf } from '../../turns.ts'
import { ENDPOINT_COLUMNS, configOf, endpointFrom, insertSecret } from './endpoint-rows.ts'
import { exceedsTenant, limitsOf } from './tenants.ts'
import { Where, collectPage } from './where.ts'

export function createEndpoint(
  { db, endpointRefs }: SqliteContext,
  { endpoint, maxPerTenant }: Parameters<Store['createEndpoint']>[0],
): { kind: 'created' | 'too_much'; configVersion: number } | null {
  const mode = modes.encode(endpoint.mode)
  const existing = db.prepare('SELECT 1 FROM endpoints WHERE id = ?').get(endpoint.id)
  if (existing !== undefined) return { kind: 'created', configVersion: db.configVersion() }
  const count = db
    .prepare('SELECT count(*) AS count FROM endpoints WHERE mode = ? AND tenant_id = ? AND deleted_at IS NULL')
    .get(mode, endpoint.tenantId) as Row
  if ((count['count'] as number) >= maxPerTenant) return null
  if (exceedsTenant(db, mode, endpoint)) return { kind: 'too_much', configVersion: db.configVersion() }
  const ref = db
    .prepare(
      `INSERT INTO endpoints (id, mode, tenant_id, status, disabled_reason, disabled_at, failing_since, max_attempts,
         config, created_at, updated_at, kind, listened_at, ordering)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      endpoint.id,
      mode,
      endpoint.tenantId,
      endpointStatuses.encode(endpoint.status),
      endpoint.disabledReason,
      endpoint.disabledAt,
      endpoint.failingSince,
      endpoint.retrySchedule.length + 1,
      configOf(endpoint),
      endpoint.createdAt,
      endpoint.updatedAt,
      endpointKinds.encode(endpoint.kind),
      endpoint.kind === 'relay' ? endpoint.createdAt : null,
      orderingOf(endpoint),
    ).lastInsertRowid as number
  for (const secret of endpoint.secrets.toReversed()) insertSecret(db, ref, secret)
  endpointRefs.clear()
  return { kind: 'created', configVersion: db.bumpConfigVersion() }
}

export function findEndpoint({ db }: SqliteContext, input: Parameters<Store['findEndpoint']>[0]): EndpointRow | null {
  const where = new Where().scope('endpoints', input.scope).and('id = ? AND deleted_at IS NULL', input.endpointId)
  const row = db.prepare(`SELECT ${ENDPOINT_COLUMNS} FROM endpoints ${where.text}`).get(...where.values)
  return row === undefined ? null : endpointFrom(db, row)
}

export function listEndpoints(
  { db }: SqliteContext,
  { scope, page }: Parameters<Store['listEndpoints']>[0],
): CursorPage<EndpointRow> {
  const where = new Where().scope('endpoints', scope).and('deleted_at IS NULL').before('ref', page.after)
  const rows = db
    .prepare(`SELECT ref AS position, ${ENDPOINT_COLUMNS} FROM endpoints ${where.text} ORDER BY ref DESC`)
    .iterate(...where.values) as Iterable<Row>
  const found = collectPage(rows, page.limit, () => true)
  return { rows: found.rows.map((row) => endpointFrom(db, row)), next: found.next }
}

export function loadMatchSet({ db }: SqliteContext, input: Parameters<Store['loadMatchSet']>[0]) {
  const rows = db
    .prepare(
      `SELECT id, config FROM endpoints WHERE mode = ? AND tenant_id IN (?, '*') AND status <> ? AND deleted_at IS NULL
       ORDER BY ref`,
    )
    .all(modes.encode(input.mode), input.tenantId, endpointStatuses.encode('disabled')) as Row[]
  const entries = rows.map((row): MatchEntry => {
    const config = JSON.parse(row['config'] as string) as EndpointRow
    const { eventTypes, filter, ordering, format, dataClasses, schemaVersions } = config
    return { endpointId: row['id'] as string, eventTypes, filter, ordering, format, dataClasses, schemaVersions }
  })
  const limits = limitsOf(db, modes.encode(input.mode), input.tenantId)
  return { configVersion: db.configVersion(), limits, entries }
}

export function loadEndpoints({ db }: SqliteContext, input: Parameters<Store['loadEndpoints']>[0]) {
  const select = db.prepare(`SELECT ${ENDPOINT_COLUMNS} FROM endpoints WHERE id = ? AND deleted_at IS NULL`)
  const endpoints = input.endpointIds.flatMap((id) => {
    const row = select.get(id)
    return row === undefined ? [] : [endpointFrom(db, row)]
  })
  return { endpoints, configVersion: db.configVersion() }
}
