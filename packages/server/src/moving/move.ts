import { columnsOf, MOVED_TABLES, type MovedRow, type MovedTable, type MovedValue } from '../store/moved-tables.ts'
import { openMoveTarget, type MoveProgress, type MoveTarget } from '../store/postgres/moving/target.ts'
import { openMoveSource, type MoveSource } from '../store/sqlite/moving/source.ts'
import { chainRow, digestBytes, NOTHING } from './row-chain.ts'

export interface MoveOptions {
  /** The embedded database: a file that no server has open. */
  from: string
  /** URL of the Postgres database, which has to be empty, or to have a part of this move. */
  to: string
  /** Where the tables are. @default `runbell` */
  schema?: string
  /** Begin anew where the target has a part of another move. @default false */
  startOver?: boolean
  /** Rows of a transaction. @default 2000 */
  batchRows?: number
  /** Called after each batch. */
  onProgress?(report: MoveReport): void
}

export interface MoveReport {
  step: 'copying' | 'checking'
  table: MovedTable
  /** Rows that this step is done with, those of an earlier run included. */
  rows: number
  ofRows: number
}

export interface Moved {
  /** Where everything is now, in words. */
  place: string
  rows: number
  tables: Record<MovedTable, number>
  /** It had been moved before, and nothing was done. */
  wasFinished: boolean
}

/** What was read back from the target is not what was put there. */
export class MoveDiffers extends Error {
  override name = 'MoveDiffers'
}

/** One batch: enough that a transaction is worth it, and no more memory than this. */
const BATCH_ROWS = 2000
const BATCH_BYTES = 4 * 1024 * 1024
const CHECK_ROWS = 5000

/**
 * Moves everything in an embedded database to Postgres: all rows with the keys, times, bytes and hashes they have, secrets as they
 * are sealed. What was in flight is up for rescue there, and what is pending goes on with the same attempt numbers. Where it is
 * cut off, the next call goes on. At the end every row is read back and compared; then servers may open the target, and none
 * opens the file again.
 * @throws DatabaseInUse · SourceUnusable · TargetUnusable · DatabaseUnusable · MoveDiffers · StoreUnavailable
 */
export async function moveToPostgres(options: MoveOptions): Promise<Moved> {
  const source = openMoveSource(options.from)
  try {
    const { to: url, schema } = options
    const target = await openMoveTarget({ url, ...(schema === undefined ? {} : { schema }) })
    try {
      return await move(source, target, options)
    } finally {
      await target.close()
    }
  } finally {
    source.close()
  }
}

async function move(source: MoveSource, target: MoveTarget, options: MoveOptions): Promise<Moved> {
  const { fingerprint, lastKeys, movedTo } = source
  const began = await target.begin({ fingerprint, startOver: options.startOver ?? false, movedTo })
  const counts = Object.fromEntries(MOVED_TABLES.map((table) => [table, source.count(table)])) as Moved['tables']
  const ofRows = Object.values(counts).reduce((sum, count) => sum + count, 0)
  if (began !== 'finished') {
    const work = { source, target, ofRows, batchRows: BATCH_ROWS, onProgress: () => {}, ...options }
    await copyAll(work)
    await checkAll(work, counts)
  }
  // Before servers may open the target: cut off in between, neither can be used until the move is run again.
  source.markMoved(target.place)
  if (began !== 'finished') await target.finish(lastKeys)
  return { place: target.place, rows: ofRows, tables: counts, wasFinished: began === 'finished' }
}

interface Work {
  source: MoveSource
  target: MoveTarget
  ofRows: number
  batchRows: number
  onProgress(report: MoveReport): void
}

async function copyAll(work: Work): Promise<void> {
  const progress = await work.target.progress()
  let done = [...progress.values()].reduce((sum, { rows }) => sum + rows, 0)
  for (const table of MOVED_TABLES) {
    await copyTable(work, table, progress.get(table) ?? null, (rows) => {
      done += rows
      work.onProgress({ step: 'copying', table, rows: done, ofRows: work.ofRows })
    })
  }
}

async function copyTable(
  { source, target, batchRows }: Work,
  table: MovedTable,
  from: MoveProgress | null,
  onRows: (rows: number) => void,
): Promise<void> {
  let before = from
  const next = () => source.read(table, { after: before?.lastKey ?? null, limit: batchRows, maxBytes: BATCH_BYTES })
  while (before?.isCopied !== true) {
    const { rows, more } = next()
    const last = rows.at(-1)
    const after: MoveProgress = {
      lastKey: last === undefined ? (before?.lastKey ?? null) : keyOf(table, last),
      rows: (before?.rows ?? 0) + rows.length,
      hash: rows.reduce((hash, row) => chainRow(hash, digestBytes(table, row)), before?.hash ?? NOTHING),
      isCopied: !more,
      isVerified: false,
    }
    await target.put(table, rows, { before, after })
    before = after
    if (rows.length > 0) onRows(rows.length)
  }
}

function keyOf(table: MovedTable, row: MovedRow): MovedValue[] {
  const { columns, key } = columnsOf(table)
  const names = Object.keys(columns)
  return key.map((name) => row[names.indexOf(name)] as MovedValue)
}

/** Reads everything back: as many rows as the source has, and each as it was. */
async function checkAll({ target, ofRows, onProgress }: Work, counts: Moved['tables']): Promise<void> {
  const progress = await target.progress()
  let done = 0
  for (const table of MOVED_TABLES) {
    const { rows, hash, isVerified } = progress.get(table) as MoveProgress
    if (rows !== counts[table]) throw differs(table, `${rows} rows were copied of ${counts[table]}`)
    if (!isVerified) {
      const found = await chainOf(target, table, (more) => {
        onProgress({ step: 'checking', table, rows: done + more, ofRows })
      })
      if (found.rows !== rows) throw differs(table, `it has ${found.rows} rows instead of ${rows}`)
      if (found.hash !== hash) throw differs(table, 'a row in it is not as it was')
      await target.markVerified(table)
    }
    done += rows
  }
}

async function chainOf(
  target: MoveTarget,
  table: MovedTable,
  onRows: (rows: number) => void,
): Promise<{ rows: number; hash: string }> {
  let [rows, hash] = [0, NOTHING]
  let after: readonly MovedValue[] | null = null
  for (;;) {
    const read: MovedRow[] = await target.readDigests(table, after, CHECK_ROWS)
    hash = read.reduce(chainRow, hash)
    rows += read.length
    const last = read.at(-1)
    if (last === undefined) return { rows, hash }
    onRows(rows)
    if (read.length < CHECK_ROWS) return { rows, hash }
    after = keyOf(table, last)
  }
}

function differs(table: MovedTable, what: string): MoveDiffers {
  return new MoveDiffers(
    `table ${table} of the target is not what was moved: ${what}; something else has written to it, so begin anew with --start-over`,
  )
}
