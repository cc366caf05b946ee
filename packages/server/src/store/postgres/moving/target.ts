import {
  columnsOf,
  MOVED_TABLES,
  type LastKeys,
  type MovedRow,
  type MovedTable,
  type MovedValue,
} from '../../moved-tables.ts'
import { readConnectionUrl } from '../connection-url.ts'
import { openDatabase, type Database, type DatabaseOptions } from '../database.ts'
import type { Row, Session } from '../session.ts'
import { insertRows } from './insert-rows.ts'

/** How far a move has come with a table. */
export interface MoveProgress {
  lastKey: readonly MovedValue[] | null
  rows: number
  /** Of all rows that are there, see `chainRow`. */
  hash: string
  isCopied: boolean
  isVerified: boolean
}

export interface MoveBeginning {
  fingerprint: string
  startOver: boolean
  movedTo: string | null
}

/** A database that another is moved into, row by row. What is put into it stays where the process dies. */
export interface MoveTarget {
  /** Where it is, in words: never with a password. */
  place: string
  /**
   * Begins a move, or goes on with one from the same source; from then on no server opens the database until it is finished.
   * @param input `movedTo`: where the source has gone already, in words; then there is only that move to go on with
   * @throws TargetUnusable
   */
  begin(input: MoveBeginning): Promise<'begun' | 'resumed' | 'finished'>
  progress(): Promise<Map<MovedTable, MoveProgress>>
  /** Puts rows into a table and the progress on record, both or neither. @throws TargetUnusable where another move is at it */
  put(
    table: MovedTable,
    rows: readonly MovedRow[],
    progress: { before: MoveProgress | null; after: MoveProgress },
  ): Promise<void>
  /** Rows after a key, in the order of keys, with the SHA-256 of bytes in their place, in hex. */
  readDigests(table: MovedTable, after: readonly MovedValue[] | null, limit: number): Promise<MovedRow[]>
  markVerified(table: MovedTable): Promise<void>
  /** Keys go on counting after these; servers may open the database from now on. */
  finish(lastKeys: LastKeys): Promise<void>
  close(): Promise<void>
}

/** A database that nothing can be moved into as it is; the message says why, and what to do. */
export class TargetUnusable extends Error {
  override name = 'TargetUnusable'
}

/** Opens a database to be moved into, and makes its tables. @throws DatabaseUnusable */
export async function openMoveTarget(options: DatabaseOptions): Promise<MoveTarget> {
  const database = await openDatabase({ ...options, poolSize: 2, answerTimeoutMs: 0 })
  const { host, port, database: name } = readConnectionUrl(options.url)
  const place = `postgres://${host}:${port}/${name}, schema ${database.schema}`
  return {
    place,
    begin: (input) => database.transaction('config-alone', (db) => begin(db, input, place)),
    progress: () => database.transaction('read', readProgress),
    put: (table, rows, progress) => database.transaction('plain', (db) => put(db, table, rows, progress)),
    readDigests: (table, after, limit) => database.transaction('read', (db) => readDigests(db, table, after, limit)),
    async markVerified(table) {
      const sql = 'UPDATE move_progress SET is_verified = TRUE WHERE table_name = $1'
      await database.transaction('plain', (db) => db.run(sql, table))
    },
    finish: (lastKeys) => finish(database, lastKeys),
    close: () => database.close(),
  }
}

async function begin(
  db: Session,
  { fingerprint, startOver, movedTo }: MoveBeginning,
  place: string,
): Promise<'begun' | 'resumed' | 'finished'> {
  // A server that is starting comes before this, and is seen, or after it, and sees this.
  await db.run('LOCK TABLE nodes IN SHARE ROW EXCLUSIVE MODE')
  const move = await db.row('SELECT fingerprint, finished_at FROM moves')
  if (movedTo !== null && move?.['fingerprint'] !== fingerprint) throw hasGone(movedTo)
  if (move === undefined) {
    const table = await tableWithRows(db)
    if (table !== null) {
      throw new TargetUnusable(
        `${place} holds data already (in ${table}): move into an empty database, or name another schema`,
      )
    }
  } else if (move['fingerprint'] === fingerprint) {
    if (move['finished_at'] !== null) return 'finished'
    if (!startOver) return 'resumed'
  } else if (move['finished_at'] !== null) {
    throw new TargetUnusable(
      `${place} has been moved into before, from another database, or from this one before it was used again: move into an empty database, or name another schema`,
    )
  } else if (!startOver) {
    throw new TargetUnusable(
      `${place} has part of another database, or of this one as it was before a server used it again: begin anew with --start-over`,
    )
  }
  if (move !== undefined) await empty(db)
  await db.run('INSERT INTO moves (fingerprint) VALUES ($1)', fingerprint)
  return 'begun'
}

/** Two databases with the same history would both send everything that is pending. */
function hasGone(place: string): TargetUnusable {
  return new TargetUnusable(
    `the file has moved to ${place} already, and two servers would send what is pending twice: to move it here as it was then, make it anew with runbell restore`,
  )
}

async function tableWithRows(db: Session): Promise<string | null> {
  for (const table of MOVED_TABLES) {
    // These two rows are there from the start.
    const which = table === 'settings' ? `WHERE (name, value) NOT IN (('config_version', 1), ('high_water', 0))` : ''
    if ((await db.row(`SELECT 1 FROM ${table} ${which} LIMIT 1`)) !== undefined) return table
  }
  return null
}

/** Takes away what an unfinished move has left. No server has seen it. */
async function empty(db: Session): Promise<void> {
  await db.run('ALTER TABLE audit DISABLE TRIGGER audit_not_emptied')
  await db.run(`TRUNCATE ${MOVED_TABLES.join(', ')}, moves, move_progress`)
  await db.run('ALTER TABLE audit ENABLE TRIGGER audit_not_emptied')
}

async function readProgress(db: Session): Promise<Map<MovedTable, MoveProgress>> {
  const rows = await db.rows('SELECT table_name, last_key, row_count, hash, is_copied, is_verified FROM move_progress')
  return new Map(rows.map((row) => [row['table_name'] as MovedTable, progressFrom(row)]))
}

function progressFrom(row: Row): MoveProgress {
  return {
    lastKey: row['last_key'] === null ? null : (JSON.parse(row['last_key'] as string) as MovedValue[]),
    rows: row['row_count'] as number,
    hash: row['hash'] as string,
    isCopied: row['is_copied'] as boolean,
    isVerified: row['is_verified'] as boolean,
  }
}

async function put(
  db: Session,
  table: MovedTable,
  rows: readonly MovedRow[],
  { before, after }: Parameters<MoveTarget['put']>[2],
): Promise<void> {
  const lastKey = after.lastKey === null ? null : JSON.stringify(after.lastKey)
  const values = [table, lastKey, after.rows, after.hash, after.isCopied]
  const noted =
    before === null
      ? await db.run(
          `INSERT INTO move_progress (table_name, last_key, row_count, hash, is_copied) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT DO NOTHING`,
          ...values,
        )
      : await db.run(
          `UPDATE move_progress SET last_key = $2, row_count = $3, hash = $4, is_copied = $5
           WHERE table_name = $1 AND row_count = $6 AND hash = $7`,
          ...[...values, before.rows, before.hash],
        )
  if (noted === 0) throw new TargetUnusable('another move into this database is under way: let one of them end')
  await insertRows(db, table, rows)
}

async function readDigests(
  db: Session,
  table: MovedTable,
  after: readonly MovedValue[] | null,
  limit: number,
): Promise<MovedRow[]> {
  const { columns, key } = columnsOf(table)
  const names = Object.keys(columns)
  const select = names.map((name) => (columns[name] === 'bytes' ? `encode(sha256(${name}), 'hex') AS ${name}` : name))
  const keys = key.join(', ')
  const further = after === null ? '' : `WHERE (${keys}) > (${key.map((_, index) => `$${index + 2}`).join(', ')})`
  const rows = await db.rows(
    `SELECT ${select.join(', ')} FROM ${table} ${further} ORDER BY ${keys} LIMIT $1`,
    ...[limit, ...((after ?? []) as (string | number)[])],
  )
  return rows.map((row) => names.map((name) => row[name] as MovedValue))
}

/** Tables whose rows are counted by `position`, and not by `ref`. */
const BY_POSITION: readonly string[] = ['api_keys', 'tenants', 'audit', 'bulk_replays', 'approvals', 'notices']

async function finish(database: Database, lastKeys: LastKeys): Promise<void> {
  await database.transaction('config-alone', async (db) => {
    await db.run('SET LOCAL statement_timeout = 0')
    for (const [name, last] of Object.entries(lastKeys)) {
      const key = BY_POSITION.includes(name) ? 'position' : 'ref'
      const sequence = name === 'positions' ? `'positions'` : `pg_get_serial_sequence('${name}', '${key}')`
      if (last > 0) await db.rows(`SELECT setval(${sequence}, $1)`, last)
    }
    // What waits to be fetched may have a place behind all events.
    await db.rows(
      `SELECT setval('positions', greatest((SELECT last_value FROM positions), (
         SELECT max(q.due_at) FROM queue q JOIN endpoints p ON p.ref = q.endpoint AND p.kind = 1)))`,
    )
    // What is planned before autovacuum has been here is planned for empty tables.
    await db.run(`ANALYZE ${MOVED_TABLES.join(', ')}`)
    await db.run('UPDATE moves SET finished_at = now() WHERE finished_at IS NULL')
  })
}
