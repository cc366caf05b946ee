import { modes } from '../../codes.ts'
import type { ApiKeyRow, CursorPage, EndpointRow, PublicKeyRow } from '../../rows.ts'
import type { Store } from '../../store.ts'
import type { Row } from '../session.ts'
import type { PostgresContext } from './context.ts'
import { Where, pageOf } from './where.ts'

export async function putApiKey(
  { db }: PostgresContext,
  { key }: Parameters<Store['putApiKey']>[0],
): Promise<{ created: boolean; configVersion: number }> {
  const inserted = await db.run(
    `INSERT INTO api_keys (id, mode, tenant_id, scopes, data_classes, hash, created_at, expires_at, last_used_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING`,
    key.id,
    modes.encode(key.mode),
    key.tenantId,
    JSON.stringify(key.scopes),
    JSON.stringify(key.dataClasses),
    key.hash,
    key.createdAt,
    key.expiresAt,
    key.lastUsedAt,
  )
  const created = inserted > 0
  return { created, configVersion: created ? await db.bumpConfigVersion() : await db.configVersion() }
}

export async function findApiKey(
  { db }: PostgresContext,
  { keyId }: Parameters<Store['findApiKey']>[0],
): Promise<{ key: ApiKeyRow | null; configVersion: number }> {
  const where = new Where().and('id = ?', keyId).and('revoked_at IS NULL')
  const row = await db.row(`SELECT * FROM api_keys ${where.text}`, ...where.values)
  return { key: row === undefined ? null : keyFrom(row), configVersion: await db.configVersion() }
}

export async function listApiKeys(
  { db }: PostgresContext,
  { scope, page }: Parameters<Store['listApiKeys']>[0],
): Promise<CursorPage<ApiKeyRow>> {
  const where = new Where().scope('api_keys', scope).and('revoked_at IS NULL').before('position', page.after)
  const sql = `SELECT * FROM api_keys ${where.text} ORDER BY position DESC LIMIT ${where.place(page.limit + 1)}`
  const found = pageOf(await db.rows(sql, ...where.values), page.limit)
  return { rows: found.rows.map(keyFrom), next: found.next }
}

export async function revokeApiKey(
  { db }: PostgresContext,
  input: Parameters<Store['revokeApiKey']>[0],
): Promise<boolean> {
  const where = new Where().scope('api_keys', input.scope).and('id = ? AND revoked_at IS NULL', input.keyId)
  const sql = `UPDATE api_keys SET revoked_at = ${where.place(input.now)} ${where.text}`
  const revoked = (await db.run(sql, ...where.values)) > 0
  if (revoked) await db.bumpConfigVersion()
  return revoked
}

export async function touchApiKeys(
  { db }: PostgresContext,
  { uses }: Parameters<Store['touchApiKeys']>[0],
): Promise<void> {
  const latest = new Map<string, number>()
  for (const { keyId, at } of uses) latest.set(keyId, Math.max(at, latest.get(keyId) ?? 0))
  // Nodes note the same keys: in one order they wait for each other and not in a circle.
  await db.run(
    `UPDATE api_keys SET last_used_at = held.at FROM (
       SELECT k.position, uses.at FROM api_keys k JOIN unnest($1::text[], $2::bigint[]) AS uses (id, at) ON uses.id = k.id
       WHERE coalesce(k.last_used_at, 0) < uses.at ORDER BY k.position FOR UPDATE OF k
     ) AS held WHERE api_keys.position = held.position`,
    [...latest.keys()],
    [...latest.values()],
  )
}

export async function serverSecret(
  { db }: PostgresContext,
  { name, candidate }: Parameters<Store['serverSecret']>[0],
): Promise<Uint8Array> {
  await db.run('INSERT INTO server_secrets VALUES ($1, $2) ON CONFLICT (name) DO NOTHING', name, candidate)
  return (await db.row('SELECT value FROM server_secrets WHERE name = $1', name))?.['value'] as Uint8Array
}

/** The old value is gone from the files once autovacuum has been there, and from the log of changes once that is recycled. */
export async function replaceServerSecret(
  { db }: PostgresContext,
  { name, from, to }: Parameters<Store['replaceServerSecret']>[0],
): Promise<boolean> {
  const replaced = await db.run(
    'UPDATE server_secrets SET value = $1 WHERE name = $2 AND value = $3',
    ...[to, name, from],
  )
  return replaced === 1
}

/** Rows that are read at once to look for those whose endpoint signs with them. */
const KEYS_AT_ONCE = 1000

export async function listPublicKeys(
  { db }: PostgresContext,
  { endpointId, now, limit }: Parameters<Store['listPublicKeys']>[0],
): Promise<PublicKeyRow[]> {
  const keys: PublicKeyRow[] = []
  for (let last: string | null = null; ;) {
    const where = new Where().and('s.public_key IS NOT NULL AND p.deleted_at IS NULL')
    where.and('(s.expires_at IS NULL OR s.expires_at > ?)', now)
    if (endpointId !== null) where.and('p.id = ?', endpointId)
    if (last !== null) where.and('s.id < ?', last)
    const rows: Row[] = await db.rows(
      `SELECT s.id, s.public_key, p.config FROM endpoints p JOIN secrets s ON s.endpoint = p.ref ${where.text}
       ORDER BY s.id DESC LIMIT ${where.place(KEYS_AT_ONCE)}`,
      ...where.values,
    )
    for (const row of rows) {
      last = row['id'] as string
      if (keys.length < limit && isSigning(row)) keys.push({ secretId: last, publicKey: row['public_key'] as string })
    }
    if (keys.length === limit || rows.length < KEYS_AT_ONCE) return keys
  }
}

/** Read here: Postgres' own JSON refuses the whole text where a string in it has an escaped NUL. */
function isSigning({ config }: Row): boolean {
  return (JSON.parse(config as string) as EndpointRow).signing !== 'hmac'
}

function keyFrom(row: Row): ApiKeyRow {
  return {
    position: row['position'] as number,
    id: row['id'] as string,
    mode: modes.decode(row['mode']),
    scopes: JSON.parse(row['scopes'] as string) as ApiKeyRow['scopes'],
    dataClasses: JSON.parse(row['data_classes'] as string) as ApiKeyRow['dataClasses'],
    tenantId: row['tenant_id'] as string | null,
    hash: row['hash'] as Uint8Array,
    createdAt: row['created_at'] as number,
    expiresAt: row['expires_at'] as number | null,
    lastUsedAt: row['last_used_at'] as number | null,
  }
}
