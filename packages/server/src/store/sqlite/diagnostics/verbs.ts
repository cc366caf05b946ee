import type { SQLInputValue } from 'node:sqlite'
import { wantsDiagnostic } from '../../diagnostic-match.ts'
import type { DiagnosticFilter, DiagnosticRow, DiagnosticStore } from '../../diagnostics.ts'
import type { CursorPage, ReadScope } from '../../rows.ts'
import { modes } from '../codes.ts'
import type { Database, Row } from '../database.ts'
import { unpackRows } from './packed-rows.ts'
import { collectPage } from '../verbs/where.ts'

/** The verbs as they run inside the thread: synchronous, each in a transaction. */
export type DiagnosticVerbs = {
  append(database: Database, input: { packed: string }): void
} & {
  [Name in Exclude<keyof DiagnosticStore, 'append' | 'close'>]: (
    database: Database,
    input: Input<Name>,
  ) => Awaited<ReturnType<DiagnosticStore[Name]>>
}
type Input<Name extends keyof DiagnosticStore> = Parameters<DiagnosticStore[Name]>[0]

/** Free space in the file that stays for what comes next. */
const KEEP_BYTES = 32 * 1024 * 1024
/** Pages given back to the system at once: a millisecond or two. */
const GIVE_BACK_PAGES = 256
/** Requests under way mix the order of times by no more than so many rows. */
const SLACK_ROWS = 1000

const COLUMNS = 'position, mode, tenant_id, run_id, trace_id, name, severity, recorded_at, body'

const DIAGNOSTIC_VERBS: DiagnosticVerbs = {
  append(database, { packed }) {
    const insert = database.prepare(
      `INSERT INTO diagnostics (mode, tenant_id, run_id, trace_id, name, severity, recorded_at, body)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    for (const row of unpackRows(packed)) insert.run(...row)
  },

  list(database, { scope, filter, page: { limit, order, after } }): CursorPage<DiagnosticRow> {
    const { conditions, values } = found(scope, filter)
    const isDown = order === 'newest'
    const bounds = filter.runId === null && filter.traceId === null ? boundsOf(database, scope, filter) : []
    for (const [comparison, position] of bounds) add(conditions, values, `position ${comparison} ?`, position)
    if (after !== null) add(conditions, values, `position ${isDown ? '<' : '>'} ?`, after)
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
    const rows = database
      .prepare(`SELECT ${COLUMNS} FROM diagnostics ${where} ORDER BY position ${isDown ? 'DESC' : 'ASC'}`)
      .iterate(...values) as Iterable<Row>
    const page = collectPage(rows, limit, (row) => wantsDiagnostic(scope, filter, rowFrom(row)))
    return { rows: page.rows.map(rowFrom), next: page.next }
  },

  lastPosition,

  erase(database, { scope, runId, limit }) {
    const tenant = scope.tenantId === null ? '' : ' AND tenant_id = ?'
    const values = [modes.encode(scope.mode), runId, ...(scope.tenantId === null ? [] : [scope.tenantId]), limit]
    const sql = `DELETE FROM diagnostics WHERE position IN
      (SELECT position FROM diagnostics WHERE mode = ? AND run_id = ?${tenant} ORDER BY position LIMIT ?)`
    return Number(database.prepare(sql).run(...values).changes)
  },

  prune(database, { mode, before, limit }) {
    const sql = `DELETE FROM diagnostics WHERE position IN
      (SELECT position FROM diagnostics WHERE mode = ? AND recorded_at < ? ORDER BY recorded_at LIMIT ?)`
    return Number(database.prepare(sql).run(modes.encode(mode), before, limit).changes)
  },

  pruneBeyond(database, { keep, limit }) {
    const last = lastPosition(database)
    const sql = `DELETE FROM diagnostics WHERE position IN
      (SELECT position FROM diagnostics WHERE position <= ? ORDER BY position LIMIT ?)`
    return Number(database.prepare(sql).run(last - keep, limit).changes)
  },
}

function lastPosition(database: Database): number {
  const row = database.prepare(`SELECT seq FROM sqlite_sequence WHERE name = 'diagnostics'`).get() as Row | undefined
  return (row?.['seq'] as number | undefined) ?? 0
}

/** After rows were erased: no copy of them stays in the log. */
function emptyLog({ handle }: Database): void {
  handle.exec('PRAGMA wal_checkpoint(TRUNCATE)')
}

/** After rows were pruned: what is free beyond a reserve goes back to the system, a bounded piece at a time. */
function giveBack({ handle }: Database): void {
  const read = (pragma: string) => Object.values(handle.prepare(`PRAGMA ${pragma}`).get() ?? {})[0] as number
  if (read('freelist_count') * read('page_size') > KEEP_BYTES) {
    handle.exec(`PRAGMA incremental_vacuum(${GIVE_BACK_PAGES})`)
  }
}

/** Runs a verb in a transaction of its own. */
export function runVerb(database: Database, verb: keyof DiagnosticVerbs, input: unknown): unknown {
  const { handle } = database
  handle.exec('BEGIN IMMEDIATE')
  try {
    const work = DIAGNOSTIC_VERBS[verb] as (of: Database, input: unknown) => unknown
    const output = work(database, input)
    handle.exec('COMMIT')
    if (verb === 'erase') emptyLog(database)
    if (verb === 'prune' || verb === 'pruneBeyond') giveBack(database)
    return output
  } catch (error) {
    if (handle.isTransaction) handle.exec('ROLLBACK')
    throw error
  }
}

/** What an index finds; the rest is looked at row by row, so that passing over it is bounded. */
function found(
  scope: ReadScope,
  { runId, traceId }: DiagnosticFilter,
): { conditions: string[]; values: SQLInputValue[] } {
  const [conditions, values]: [string[], SQLInputValue[]] = [[], []]
  const column =
    runId !== null ? 'run_id' : traceId !== null ? 'trace_id' : scope.tenantId === null ? null : 'tenant_id'
  if (column === null) return { conditions, values }
  add(conditions, values, 'mode = ?', modes.encode(scope.mode))
  add(conditions, values, `${column} = ?`, runId ?? traceId ?? scope.tenantId)
  return { conditions, values }
}

function add(conditions: string[], values: SQLInputValue[], condition: string, value: SQLInputValue): void {
  conditions.push(condition)
  values.push(value)
}

/** Where times begin and end, by position: a look at last week does not pass over the days since. */
function boundsOf(database: Database, { mode }: ReadScope, { since, until }: DiagnosticFilter): [string, number][] {
  const bounds: [string, number][] = []
  const edge = (which: 'min' | 'max', comparison: string, direction: string, time: number) => {
    const sql = `SELECT ${which}(position) AS edge FROM
      (SELECT position FROM diagnostics WHERE mode = ? AND recorded_at ${comparison} ? ORDER BY recorded_at ${direction} LIMIT ?)`
    const row = database.prepare(sql).get(modes.encode(mode), time, SLACK_ROWS) as Row
    return row['edge'] as number | null
  }
  if (since !== null) bounds.push(['>=', edge('min', '>=', 'ASC', since) ?? Number.MAX_SAFE_INTEGER])
  if (until !== null) bounds.push(['<=', edge('max', '<', 'DESC', until) ?? 0])
  return bounds
}

function rowFrom(row: Row): DiagnosticRow {
  return {
    position: row['position'] as number,
    mode: modes.decode(row['mode']),
    tenantId: row['tenant_id'] as string,
    runId: row['run_id'] as string | null,
    traceId: row['trace_id'] as string | null,
    name: row['name'] as string,
    severity: row['severity'] as number,
    recordedAt: row['recorded_at'] as number,
    body: row['body'] as string,
  }
}
