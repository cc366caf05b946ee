import type { ApiKeyRow, CursorPage, PublicKeyRow } from '../../rows.ts'
import type { Store } from '../../store.ts'
import { modes } from '../codes.ts'
import type { Database, Row } from '../database.ts'
import type { SqliteContext } from './context.ts'
import { Where, collectPage } from './where.ts'

export function putApiKey(
  { db }: SqliteContext,
  { key }: Parameters<Store['putApiKey']>[0],
): { created: boolean; configVersion: number } {
  const { changes } = db
    .prepare(
      `INSERT INTO api_keys (id, mode, tenant_id, scopes, data_classes, hash, created_at, expires_at, last_used_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
    )
    .run(
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
  const created = changes > 0
  return { created, configVersion: created ? db.bumpConfigVersion() : db.configVersion() }
}

export function findApiKey({ db }: SqliteContext, input: { keyId: string }) {
  const row = db.prepare('SELECT * FROM api_keys WHERE id = ? AND revoked_at IS NULL').get(input.keyId)
  return { key: row === undefined ? null : keyFrom(row), configVersion: db.configVersion() }
}

export function listApiKeys(
  { db }: SqliteContext,
  { scope, page }: Parameters<Store['listApiKeys']>[0],
): CursorPage<ApiKeyRow> {
  const where = new Where().scope('api_keys', scope).and('revoked_at IS NULL').before('position', page.after)
  const rows = db
    .prepare(`SELECT * FROM api_keys ${where.text} ORDER BY position DESC`)
    .iterate(...where.values) as Iterable<Row>
  const found = collectPage(rows, page.limit, () => true)
  return { rows: found.rows.map(keyFrom), next: found.next }
}

export function revokeApiKey({ db }: SqliteContext, input: Parameters<Store['revokeApiKey']>[0]): boolean {
  const where = new Where().scope('api_keys', input.scope).and('id = ? AND revoked_at IS NULL', input.keyId)
  const { changes } = db.prepare(`UPDATE api_keys SET revoked_at = ? ${where.text}`).run(input.now, ...where.values)
  if (changes > 0) db.bumpConfigVersion()
  return changes > 0
}

export function touchApiKeys({ db }: SqliteContext, { uses }: Parameters<Store['touchApiKeys']>[0]): void {
  const touch = db.prepare('UPDATE api_keys SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE id = ?')
  for (const { keyId, at } of uses) touch.run(at, keyId)
}

export function serverSecret({ db }: SqliteContext, input: { name: string; candidate: Uint8Array }): Uint8Array {
  const name = `secret:${input.name}`
  db.prepare('INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO NOTHING').run(name, input.candidate)
  return readSecret(db, name)
}

export function replaceServerSecret(
  context: SqliteContext,
  { name, from, to }: Parameters<Store['replaceServerSecret']>[0],
): boolean {
  const { changes } = context.db
    .prepare('UPDATE settings SET value = ? WHERE name = ? AND value = ?')
    .run(to, `secret:${name}`, from)
  context.emptyLog = true
  return changes === 1
}

export function listPublicKeys(
  { db }: SqliteContext,
  { endpointId, now, limit }: Parameters<Store['listPublicKeys']>[0],
): PublicKeyRow[] {
  const [index, which] = endpointId === null ? ['secrets_public', 'TRUE'] : ['secrets_endpoint', 'p.id = ?']
  const rows = db
    .prepare(
      `SELECT s.id, s.public_key FROM endpoints p JOIN secrets s INDEXED BY ${index} ON s.endpoint = p.ref
       WHERE s.public_key IS NOT NULL AND p.deleted_at IS NULL AND (s.expires_at IS NULL OR s.expires_at > ?)
         AND json_extract(p.config, '$.signing') <> 'hmac' AND ${which} ORDER BY s.id DESC LIMIT ?`,
    )
    .all(now, ...(endpointId === null ? [] : [endpointId]), limit) as Row[]
  return rows.map((row) => ({ secretId: row['id'] as string, publicKey: row['public_key'] as string }))
}

function readSecret(db: Database, name: string): Uint8Array {
  return db.setting(name) as Uint8Array
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
