import type { EventTypeRow } from '../../rows.ts'
import type { Store } from '../../store.ts'
import { modes } from '../codes.ts'
import type { Row } from '../database.ts'
import type { SqliteContext } from './context.ts'

export function loadEventTypes({ db }: SqliteContext, { mode }: Parameters<Store['loadEventTypes']>[0]) {
  const rows = db.prepare('SELECT * FROM event_types WHERE mode = ? ORDER BY type').all(modes.encode(mode)) as Row[]
  const types = rows.map((row): EventTypeRow => ({
    mode,
    type: row['type'] as string,
    revision: row['revision'] as number,
    definition: row['definition'] as string,
    createdAt: row['created_at'] as number,
    updatedAt: row['updated_at'] as number,
  }))
  return { types, configVersion: db.configVersion() }
}

export function putEventType(
  { db }: SqliteContext,
  { mode, type, definition, expected, maxTypes, now }: Parameters<Store['putEventType']>[0],
): Awaited<ReturnType<Store['putEventType']>> {
  const code = modes.encode(mode)
  const row = db.prepare('SELECT revision FROM event_types WHERE mode = ? AND type = ?').get(code, type)
  const revision = (row?.['revision'] as number | undefined) ?? 0
  if (revision !== expected) return { kind: 'conflict' }
  if (row === undefined) {
    const { count } = db.prepare('SELECT count(*) AS count FROM event_types WHERE mode = ?').get(code) as Row
    if ((count as number) >= maxTypes) return { kind: 'full' }
    db.prepare('INSERT INTO event_types VALUES (?, ?, 1, ?, ?, ?)').run(code, type, definition, now, now)
  } else {
    db.prepare('UPDATE event_types SET revision = ?, definition = ?, updated_at = ? WHERE mode = ? AND type = ?').run(
      revision + 1,
      definition,
      now,
      code,
      type,
    )
  }
  return { kind: 'kept', revision: revision + 1, configVersion: db.bumpConfigVersion() }
}
