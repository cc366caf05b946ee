import type { DataKeyRow } from '../../data-keys.ts'
import type { Store } from '../../store.ts'
import type { Row } from '../database.ts'
import type { SqliteContext } from './context.ts'

type Input<Verb extends keyof Store> = Parameters<Store[Verb]>[0]

const COLUMNS = 'owner, wrapped, master_key_id, created_at'

export function putDataKey({ db }: SqliteContext, { key }: Input<'putDataKey'>): DataKeyRow {
  db.prepare(`INSERT INTO data_keys (${COLUMNS}) VALUES (?, ?, ?, ?) ON CONFLICT (owner) DO NOTHING`).run(
    ...[key.owner, key.wrapped, key.masterKeyId, key.createdAt],
  )
  return keyFrom(db.prepare(`SELECT ${COLUMNS} FROM data_keys WHERE owner = ?`).get(key.owner) as Row)
}

export function findDataKeys({ db }: SqliteContext, { owners }: Input<'findDataKeys'>): DataKeyRow[] {
  const rows = db
    .prepare(`SELECT ${COLUMNS} FROM data_keys WHERE owner IN (SELECT value FROM json_each(?))`)
    .all(JSON.stringify(owners)) as Row[]
  return rows.map(keyFrom)
}

export function listDataKeys({ db }: SqliteContext, { after, limit }: Input<'listDataKeys'>): DataKeyRow[] {
  const rows = db
    .prepare(`SELECT ${COLUMNS} FROM data_keys WHERE owner > ? ORDER BY owner LIMIT ?`)
    .all(after ?? '', limit) as Row[]
  return rows.map(keyFrom)
}

export function rewrapDataKeys({ db }: SqliteContext, { keys }: Input<'rewrapDataKeys'>): number {
  const rewrap = db.prepare('UPDATE data_keys SET wrapped = ?, master_key_id = ? WHERE owner = ? AND master_key_id = ?')
  let changed = 0
  for (const { owner, from, wrapped, masterKeyId } of keys) {
    changed += Number(rewrap.run(wrapped, masterKeyId, owner, from).changes)
  }
  return changed
}

function keyFrom(row: Row): DataKeyRow {
  return {
    owner: row['owner'] as string,
    wrapped: row['wrapped'] as Uint8Array,
    masterKeyId: row['master_key_id'] as string,
    createdAt: row['created_at'] as number,
  }
}
