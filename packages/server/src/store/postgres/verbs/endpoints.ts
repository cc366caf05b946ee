import { endpointKinds, endpointStatuses, modes } from '../../codes.ts'
import type { CursorPage, EndpointRow, MatchEntry, MatchSet } from '../../rows.ts'
import type { Store } from '../../store.ts'
import { orderingOf } from '../../turns.ts'
import type { PostgresContext } from './context.ts'
import { ENDPOINT_COLUMNS, configOf, endpointsFrom, insertSecrets } from './endpoint-rows.ts'
import { exceedsTenant, limitsOf } from './tenants.ts'
import { Where, pageOf } from './where.ts'

export async function createEndpoint(
  { db }: PostgresContext,
  { endpoint, maxPerTenant }: Parameters<Store['createEndpoint']>[0],
): Promise<{ kind: 'created' | 'too_much'; configVersion: number } | null> {
  const mode = modes.encode(endpoint.mode)
  const existing = await db.row('SELECT 1 FROM endpoints WHERE id = $1', endpoint.id)
  if (existing !== undefined) return { kind: 'created', configVersion: await db.configVersion() }
  const count = await db.row(
    `SELECT count(*)::integer AS count FROM endpoints WHERE mode = $1 AND tenant_id = $2 AND deleted_at IS NULL`,
    ...[mode, endpoint.tenantId],
  )
  if ((count?.['count'] as number) >= maxPerTenant) return null
  if (await exceedsTenant(db, mode, endpoint)) return { kind: 'too_much', configVersion: await db.configVersion() }
  const row = await db.row(
    `INSERT INTO endpoints (id, mode, tenant_id, status, disabled_reason, disabled_at, failing_since, max_attempts,
       config, created_at, updated_at, kind, listened_at, ordering)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING ref`,
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
  )
  await insertSecrets(db, row?.['ref'] as number, endpoint.secrets)
  return { kind: 'created', configVersion: await db.bumpConfigVersion() }
}

export async function findEndpoint(
  { db }: PostgresContext,
  input: Parameters<Store['findEndpoint']>[0],
): Promise<EndpointRow | null> {
  const where = new Where().scope('endpoints', input.scope).and('id = ? AND deleted_at IS NULL', input.endpointId)
  const rows = await db.rows(`SELECT ${ENDPOINT_COLUMNS} FROM endpoints ${where.text}`, ...where.values)
  return (await endpointsFrom(db, rows))[0] ?? null
}

export async function listEndpoints(
  { db }: PostgresContext,
  { scope, page }: Parameters<Store['listEndpoints']>[0],
): Promise<CursorPage<EndpointRow>> {
  const where = new Where().scope('endpoints', scope).and('deleted_at IS NULL').before('ref', page.after)
  const sql = `SELECT ref AS position, ${ENDPOINT_COLUMNS} FROM endpoints ${where.text} ORDER BY ref DESC
    LIMIT ${where.place(page.limit + 1)}`
  const found = pageOf(await db.rows(sql, ...where.values), page.limit)
  return { rows: await endpointsFrom(db, found.rows), next: found.next }
}

export async function loadMatchSet(
  { db }: PostgresContext,
  input: Parameters<Store['loadMatchSet']>[0],
): Promise<MatchSet> {
  const mode = modes.encode(input.mode)
  const rows = await db.rows(
    `SELECT id, config FROM endpoints WHERE mode = $1 AND tenant_id IN ($2, '*') AND status <> $3 AND deleted_at IS NULL
     ORDER BY ref`,
    ...[mode, input.tenantId, endpointStatuses.encode('disabled')],
  )
  const entries = rows.map((row): MatchEntry => {
    const config = JSON.parse(row['config'] as string) as EndpointRow
    const { eventTypes, filter, ordering, format, dataClasses, schemaVersions } = config
    return { endpointId: row['id'] as string, eventTypes, filter, ordering, format, dataClasses, schemaVersions }
  })
  const limits = await limitsOf(db, mode, input.tenantId)
  return { configVersion: await db.configVersion(), limits, entries }
}

export async function loadEndpoints(
  { db }: PostgresContext,
  input: Parameters<Store['loadEndpoints']>[0],
): Promise<{ endpoints: EndpointRow[]; configVersion: number }> {
  const rows = await db.rows(
    `SELECT ${ENDPOINT_COLUMNS} FROM endpoints JOIN unnest($1::text[]) WITH ORDINALITY AS asked (id, place) USING (id)
     WHERE deleted_at IS NULL ORDER BY place`,
    input.endpointIds,
  )
  return { endpoints: await endpointsFrom(db, rows), configVersion: await db.configVersion() }
}
