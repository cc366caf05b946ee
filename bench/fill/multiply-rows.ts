import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { MIGRATIONS } from '../../packages/server/src/store/sqlite/schema.ts'

export interface Multiplied {
  /** Of the server. */
  dataDir: string
  /** Deliveries that are made, each of an event of its own. */
  count: number
  /** SQL: when delivery `n` is due. @default as the one it is made from */
  dueAt?: string
  /** Told now and then. */
  onProgress(done: number): void
}

/** Rows of a transaction. */
const PIECE = 50_000
const SUFFIX_LENGTH = 26

/** What differs from the row that is copied, as SQL over `n`, from 0 on; everything else is copied, whatever columns there are. */
type Changes = Record<string, string>

/**
 * Loads as many deliveries as wanted into the database file of a server that does not run, each with an event and its attempts of its
 * own: copies of all deliveries that there are, with ids, bytes and hashes of their own. What the rows look like is what the server made of them,
 * so that a change of the schema is followed, or found.
 * @throws Error where the file has another schema than this program
 */
export function multiplyRows({ dataDir, count, dueAt, onProgress }: Multiplied): void {
  const database = new DatabaseSync(join(dataDir, 'runbell.db'))
  try {
    prepare(database)
    const [events, deliveries] = ['events', 'deliveries'].map((table) => lastPosition(database, table)) as [
      number,
      number,
    ]
    const inserts = [
      copyInto(database, 'events', 'o.position = s.event', {
        position: `${events} + 1 + n`,
        event_id: idLike('o.event_id'),
        prefix: `bench_renamed(o.prefix, o.event_id, ${idLike('o.event_id')})`,
        body_sha256: `bench_sha256(bench_renamed(o.prefix, o.event_id, ${idLike('o.event_id')}), o.source, o.data_start, o.data_end)`,
      }),
      copyInto(database, 'deliveries', 'o.position = s.delivery', {
        position: `${deliveries} + 1 + n`,
        id: idLike('o.id'),
        event: `${events} + 1 + n`,
        ...(dueAt === undefined ? {} : { due_at: dueAt }),
      }),
      copyInto(database, 'attempts', 'o.delivery = s.delivery', { delivery: `${deliveries} + 1 + n` }),
    ].map((sql) => database.prepare(sql))
    for (let from = 0; from < count; from += PIECE) {
      database.exec('BEGIN')
      for (const insert of inserts) insert.run({ from, to: Math.min(count, from + PIECE) })
      database.exec('COMMIT')
      onProgress(Math.min(count, from + PIECE))
    }
    // All of it is on the disk before anything is measured.
    database.exec('PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)')
  } finally {
    database.close()
  }
}

/** Bytes that each delivery takes in the file, by what those that are there take, its share of the indexes included. */
export function bytesPerDelivery(dataDir: string): number {
  const database = new DatabaseSync(join(dataDir, 'runbell.db'), { readOnly: true })
  try {
    const of = (sql: string) => Number(Object.values(database.prepare(sql).get() ?? {})[0])
    const event = of('SELECT avg(length(prefix) + length(source)) FROM events')
    const attempt = of(
      'SELECT coalesce(avg(length(request_headers) + length(response_headers) + length(phases)), 0) FROM attempts',
    )
    // What a row of each takes besides, measured at 1,000,000 rows.
    return event + attempt + 900
  } finally {
    database.close()
  }
}

function prepare(database: DatabaseSync): void {
  const version = database.prepare('PRAGMA user_version').get()?.['user_version']
  if (version !== MIGRATIONS.length) {
    throw new Error(`the database has had ${String(version)} migrations, this program knows ${MIGRATIONS.length}`)
  }
  // It is thrown away where the machine stops meanwhile.
  database.exec(`PRAGMA synchronous = OFF; PRAGMA cache_size = -524288; PRAGMA temp_store = MEMORY;
    CREATE TEMP TABLE seeds AS SELECT row_number() OVER (ORDER BY position) - 1 AS slot, position AS delivery, event FROM deliveries;
    CREATE UNIQUE INDEX temp.seeds_slot ON seeds (slot)`)
  const options = { deterministic: true }
  database.function('bench_renamed', options, (prefix, before, after) => {
    const text = Buffer.from(prefix as Uint8Array).toString('latin1')
    return Buffer.from(text.replace(before as string, after as string), 'latin1')
  })
  // As the store does when it accepts: prefix, data and a closing brace.
  database.function('bench_sha256', options, (prefix, source, start, end) =>
    createHash('sha256')
      .update(prefix as Uint8Array)
      .update((source as Uint8Array).subarray(Number(start), Number(end)))
      .update('}')
      .digest(),
  )
}

/** An insert of copies `:from` to `:to`, in their order, which is that of the keys. */
function copyInto(database: DatabaseSync, table: string, seed: string, changes: Changes): string {
  const columns = database.prepare(`SELECT name FROM pragma_table_info(?)`).all(table) as { name: string }[]
  const names = new Set(columns.map(({ name }) => name))
  const missing = Object.keys(changes).filter((name) => !names.has(name))
  if (missing.length > 0)
    throw new Error(`${table} has no ${missing.join(', ')} any more: bench/fill does not know this schema`)
  const values = columns.map(({ name }) => changes[name] ?? `o.${name}`)
  return `WITH RECURSIVE series(n) AS (SELECT :from UNION ALL SELECT n + 1 FROM series WHERE n + 1 < :to)
    INSERT INTO ${table} (${columns.map(({ name }) => name).join(', ')})
    SELECT ${values.join(', ')} FROM series CROSS JOIN seeds s ON s.slot = n % (SELECT count(*) FROM seeds) CROSS JOIN ${table} o ON ${seed}`
}

/** Digits are letters of the alphabet of ids, and these come before all that a server makes now. */
function idLike(id: string): string {
  return `substr(${id}, 1, length(${id}) - ${SUFFIX_LENGTH}) || printf('%0${SUFFIX_LENGTH}d', n)`
}

function lastPosition(database: DatabaseSync, table: string): number {
  return Number(database.prepare(`SELECT max(position) AS last FROM ${table}`).get()?.['last'] ?? 0)
}
