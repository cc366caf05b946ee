import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import {
  columnsOf,
  type ColumnKind,
  type LastKeys,
  type MovedRow,
  type MovedTable,
  type MovedValue,
} from '../../moved-tables.ts'
import { BUSY_TIMEOUT_MS } from '../database.ts'
import { takeLock } from '../lock.ts'
import { MOVED_TO, placeMovedTo } from '../moved-away.ts'
import { MIGRATIONS } from '../schema.ts'
import { SOURCE_TABLES } from './source-tables.ts'

/** A database that is read whole, and that no server can open meanwhile. */
export interface MoveSource {
  /** The same as long as no server has used the file. */
  fingerprint: string
  lastKeys: LastKeys
  /** Where it has been moved to already, in words, or was about to be; `null`: nowhere. */
  movedTo: string | null
  count(table: MovedTable): number
  /**
   * Rows after a key, in the order of keys: at most `limit`, and few enough that they have about `maxBytes`. `more`: there may be
   * others after them.
   */
  read(
    table: MovedTable,
    page: { after: readonly MovedValue[] | null; limit: number; maxBytes: number },
  ): { rows: MovedRow[]; more: boolean }
  /** Keeps every server off the file from now on; see `refuseMoved`. @param place where it is now, in words */
  markMoved(place: string): void
  close(): void
}

/** A file that cannot be moved as it is; the message says why, and what to do. */
export class SourceUnusable extends Error {
  override name = 'SourceUnusable'
}

/**
 * Opens an embedded database to be read whole, and locks it.
 * @throws DatabaseInUse while a server has it open · SourceUnusable
 */
export function openMoveSource(path: string): MoveSource {
  if (!existsSync(path)) throw new SourceUnusable(`there is no file ${path}`)
  const lock = takeLock(path)
  try {
    const handle = openChecked(path)
    const lastKeys = readLastKeys(handle)
    return {
      lastKeys,
      movedTo: placeMovedTo(handle),
      fingerprint: fingerprintOf(handle, lastKeys),
      count: (table) => count(handle, table),
      read: (table, page) => read(handle, table, page),
      markMoved: (place) => markMoved(path, place),
      close() {
        handle.close()
        lock.release()
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

function openChecked(path: string): DatabaseSync {
  const handle = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
  try {
    checkSchema(handle, path)
    return handle
  } catch (error) {
    handle.close()
    if (error instanceof SourceUnusable) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new SourceUnusable(`${path} is not a whole database: ${reason}`)
  }
}

function checkSchema(handle: DatabaseSync, path: string): void {
  const version = handle.prepare('PRAGMA user_version').get()?.['user_version'] as number
  const known = MIGRATIONS.length
  const tables = handle.prepare(`SELECT name FROM sqlite_schema WHERE name IN ('events', 'settings')`).all()
  if (version < 1 || tables.length < 2) throw new SourceUnusable(`${path} is a database, and none of Runbell`)
  if (version > known) {
    throw new SourceUnusable(
      `${path} was written by a newer Runbell (schema ${version}, this one knows ${known}): upgrade Runbell`,
    )
  }
  if (version < known) {
    throw new SourceUnusable(
      `${path} was written by an older Runbell (schema ${version}, this one writes ${known}): start this Runbell on it once, stop it, and move it then`,
    )
  }
}

function readLastKeys(handle: DatabaseSync): LastKeys {
  const rows = handle.prepare('SELECT name, seq FROM sqlite_sequence').all()
  const last = new Map(rows.map(({ name, seq }) => [name as string, seq as number]))
  const of = (table: string) => last.get(table) ?? 0
  return {
    ...{ nodes: of('nodes'), endpoints: of('endpoints'), api_keys: of('api_keys'), runs: of('runs') },
    ...{ bodies: of('bodies'), tenants: of('tenants'), audit: of('audit'), bulk_replays: of('bulk_replays') },
    approvals: of('approvals'),
    notices: of('notices'),
    positions: Math.max(of('events'), of('deliveries')),
  }
}

/** Every start of a server gives a node its key, and everything else that happens counts something up as well. */
function fingerprintOf(handle: DatabaseSync, lastKeys: LastKeys): string {
  const select = `SELECT name, CAST(value AS TEXT) AS value FROM settings WHERE name IN ('config_version', 'high_water') ORDER BY name`
  const settings = handle.prepare(select).all()
  return createHash('sha256')
    .update(JSON.stringify([lastKeys, settings]))
    .digest('hex')
}

function count(handle: DatabaseSync, table: MovedTable): number {
  const { from, where = 'TRUE' } = SOURCE_TABLES[table]
  return handle.prepare(`SELECT count(*) AS count FROM ${from} WHERE ${where}`).get()?.['count'] as number
}

function read(
  handle: DatabaseSync,
  table: MovedTable,
  { after, limit, maxBytes }: Parameters<MoveSource['read']>[1],
): ReturnType<MoveSource['read']> {
  const { from, where = 'TRUE', expressions = {} } = SOURCE_TABLES[table]
  const { columns, key } = columnsOf(table)
  const of = (name: string) => expressions[name] ?? `"${name}"`
  const select = Object.keys(columns).map((name) => `${of(name)} AS "${name}"`)
  const keys = key.map(of).join(', ')
  const further = after === null ? '' : `AND (${keys}) > (${key.map(() => '?').join(', ')})`
  const statement = handle.prepare(
    `SELECT ${select.join(', ')} FROM ${from} WHERE ${where} ${further} ORDER BY ${keys} LIMIT ${limit}`,
  )
  const rows: MovedRow[] = []
  let bytes = 0
  for (const row of statement.iterate(...((after ?? []) as SQLInputValue[]))) {
    const values = Object.entries(columns).map(([name, kind]) => valueOf(row[name], kind))
    rows.push(values)
    for (const value of values) bytes += value instanceof Uint8Array || typeof value === 'string' ? value.length : 8
    if (bytes >= maxBytes) return { rows, more: true }
  }
  return { rows, more: rows.length === limit }
}

function valueOf(value: unknown, kind: ColumnKind): MovedValue {
  if (value === null || value === undefined) return null
  if (kind === 'boolean') return value !== 0
  return kind === 'json' ? JSON.stringify(value) : (value as MovedValue)
}

function markMoved(path: string, place: string): void {
  const handle = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
  try {
    handle
      .prepare('INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value')
      .run(MOVED_TO, place)
    handle.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  } finally {
    handle.close()
  }
}
