import type { DataKeyRow } from '../../data-keys.ts'
import type { Store } from '../../store.ts'
import type { Row } from '../session.ts'
import type { PostgresContext } from './context.ts'

type Input<Verb extends keyof Store> = Parameters<Store[Verb]>[0]

const COLUMNS = 'owner, wrapped, master_key_id, created_at'

export async function putDataKey({ db }: PostgresContext, { key }: Input<'putDataKey'>): Promise<DataKeyRow> {
  await db.run(
    `INSERT INTO data_keys (${COLUMNS}) VALUES ($1, $2, $3, $4) ON CONFLICT (owner) DO NOTHING`,
    ...[key.owner, key.wrapped, key.masterKeyId, key.createdAt],
  )
  return keyFrom((await db.row(`SELECT ${COLUMNS} FROM data_keys WHERE owner = $1`, key.owner)) as Row)
}

export async function findDataKeys({ db }: PostgresContext, { owners }: Input<'findDataKeys'>): Promise<DataKeyRow[]> {
  return (await db.rows(`SELECT ${COLUMNS} FROM data_keys WHERE owner = ANY($1)`, owners)).map(keyFrom)
}

export async function listDataKeys(
  { db }: PostgresContext,
  { after, limit }: Input<'listDataKeys'>,
): Promise<DataKeyRow[]> {
  const sql = `SELECT ${COLUMNS} FROM data_keys WHERE owner > $1 ORDER BY owner LIMIT $2`
  return (await db.rows(sql, after ?? '', limit)).map(keyFrom)
}

export async function rewrapDataKeys({ db }: PostgresContext, { keys }: Input<'rewrapDataKeys'>): Promise<number> {
  // In one order, so that two rotations at once wait for each other and not in a circle.
  const sql = 'SELECT owner, master_key_id FROM data_keys WHERE owner = ANY($1) ORDER BY owner FOR UPDATE'
  const rows = await db.rows(
    sql,
    keys.map(({ owner }) => owner),
  )
  const present = new Map(rows.map((row) => [row['owner'], row['master_key_id']]))
  const changed = keys.filter(({ owner, from }) => present.get(owner) === from)
  for (const { owner, wrapped, masterKeyId } of changed) {
    await db.run(
      'UPDATE data_keys SET wrapped = $1, master_key_id = $2 WHERE owner = $3',
      ...[wrapped, masterKeyId, owner],
    )
  }
  return changed.length
}

function keyFrom(row: Row): DataKeyRow {
  return {
    owner: row['owner'] as string,
    wrapped: row['wrapped'] as Uint8Array,
    masterKeyId: row['master_key_id'] as string,
    createdAt: row['created_at'] as number,
  }
}
