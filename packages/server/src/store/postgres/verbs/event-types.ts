import { modes } from '../../codes.ts'
import type { EventTypeRow } from '../../rows.ts'
import type { Store } from '../../store.ts'
import type { PostgresContext } from './context.ts'

export async function loadEventTypes(
  { db }: PostgresContext,
  { mode }: Parameters<Store['loadEventTypes']>[0],
): Promise<{ types: EventTypeRow[]; configVersion: number }> {
  const rows = await db.rows('SELECT * FROM event_types WHERE mode = $1 ORDER BY type', modes.encode(mode))
  const types = rows.map((row): EventTypeRow => ({
    mode,
    type: row['type'] as string,
    revision: row['revision'] as number,
    definition: row['definition'] as string,
    createdAt: row['created_at'] as number,
    updatedAt: row['updated_at'] as number,
  }))
  return { types, configVersion: await db.configVersion() }
}

export async function putEventType(
  { db }: PostgresContext,
  { mode, type, definition, expected, maxTypes, now }: Parameters<Store['putEventType']>[0],
): Promise<Awaited<ReturnType<Store['putEventType']>>> {
  const code = modes.encode(mode)
  const row = await db.row('SELECT revision FROM event_types WHERE mode = $1 AND type = $2', code, type)
  const revision = (row?.['revision'] as number | undefined) ?? 0
  if (revision !== expected) return { kind: 'conflict' }
  if (row === undefined) {
    const count = await db.row('SELECT count(*)::integer AS count FROM event_types WHERE mode = $1', code)
    if ((count?.['count'] as number) >= maxTypes) return { kind: 'full' }
    await db.run('INSERT INTO event_types VALUES ($1, $2, 1, $3, $4, $4)', code, type, definition, now)
  } else {
    await db.run(
      'UPDATE event_types SET revision = $1, definition = $2, updated_at = $3 WHERE mode = $4 AND type = $5',
      ...[revision + 1, definition, now, code, type],
    )
  }
  return { kind: 'kept', revision: revision + 1, configVersion: await db.bumpConfigVersion() }
}
