import { modes } from '../../codes.ts'
import { wantsDiagnostic } from '../../diagnostic-match.ts'
import type { DiagnosticFilter, DiagnosticRow, DiagnosticStore, NewDiagnostic } from '../../diagnostics.ts'
import type { CursorPage, ReadScope } from '../../rows.ts'
import type { LockKey } from '../locks.ts'
import type { Row, Session, SqlValue } from '../session.ts'

type Input<Name extends keyof DiagnosticStore> = Parameters<DiagnosticStore[Name]>[0]

/** Rows a page looks at before it ends short, and how many of them are read at once. */
const MAX_SCANNED = 20_000
const CHUNK = 1000
/** Nodes' clocks and requests under way mix the order of times by no more than so many rows. */
const SLACK_ROWS = 1000

const COLUMNS = 'position, mode, tenant_id, run_id, trace_id, name, severity, recorded_at, body'

/** Positions rise in the order of commits, so that whoever follows them misses none (details 22). */
export async function append(db: Session, lock: LockKey, diagnostics: readonly NewDiagnostic[]): Promise<void> {
  await db.run('SET LOCAL synchronous_commit = off')
  await db.rows('SELECT pg_advisory_xact_lock($1, $2)', ...lock)
  await db.run(
    `INSERT INTO diagnostics (mode, tenant_id, run_id, trace_id, name, severity, recorded_at, body)
     SELECT mode, tenant_id, run_id, trace_id, name, severity, recorded_at, body FROM unnest($1::smallint[], $2::text[], $3::text[],
       $4::text[], $5::text[], $6::smallint[], $7::bigint[], $8::text[])
       WITH ORDINALITY AS given (mode, tenant_id, run_id, trace_id, name, severity, recorded_at, body, place) ORDER BY place`,
    diagnostics.map(({ mode }) => modes.encode(mode)),
    diagnostics.map(({ tenantId }) => tenantId),
    diagnostics.map(({ runId }) => runId),
    diagnostics.map(({ traceId }) => traceId),
    diagnostics.map(({ name }) => name),
    diagnostics.map(({ severity }) => severity),
    diagnostics.map(({ recordedAt }) => recordedAt),
    diagnostics.map(({ body }) => body),
  )
}

export async function listDiagnostics(
  db: Session,
  { scope, filter, page }: Input<'list'>,
): Promise<CursorPage<DiagnosticRow>> {
  const { limit, order } = page
  const bounds = filter.runId === null && filter.traceId === null ? await boundsOf(db, scope, filter) : []
  const rows: DiagnosticRow[] = []
  let after = page.after
  for (let scanned = 0; ;) {
    const chunk = await readChunk(db, scope, filter, bounds, order, after)
    for (const row of chunk) {
      if (rows.length === limit || scanned === MAX_SCANNED) return { rows, next: after }
      scanned++
      after = row.position
      if (wantsDiagnostic(scope, filter, row)) rows.push(row)
    }
    if (chunk.length < CHUNK) return { rows, next: null }
  }
}

/**
 * By the index on what is wanted and the position, whose order has to be asked for as it is returned: with `=` Postgres may walk
 * through all rows instead, because it believes that those which are wanted are spread evenly among them.
 */
async function readChunk(
  db: Session,
  scope: ReadScope,
  filter: DiagnosticFilter,
  bounds: readonly [string, number][],
  order: 'newest' | 'oldest',
  after: number | null,
): Promise<DiagnosticRow[]> {
  const values: SqlValue[] = []
  const place = (value: SqlValue) => `$${values.push(value)}`
  const conditions: string[] = []
  const key = keyOf(scope, filter)
  const [direction, behind] = order === 'newest' ? ['DESC', '<'] : ['ASC', '>']
  if (key !== null) {
    const [column, value] = key
    const [mode, wanted] = [place(modes.encode(scope.mode)), place(value)]
    conditions.push(`(mode, ${column}) >= (${mode}, ${wanted})`, `(mode, ${column}) <= (${mode}, ${wanted})`)
    if (after !== null) conditions.push(`(mode, ${column}, position) ${behind} (${mode}, ${wanted}, ${place(after)})`)
  } else if (after !== null) conditions.push(`position ${behind} ${place(after)}`)
  for (const [comparison, position] of bounds) conditions.push(`position ${comparison} ${place(position)}`)
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
  const columns = key === null ? ['position'] : ['mode', key[0], 'position']
  const by = columns.map((column) => `${column} ${direction}`).join(', ')
  const rows = await db.rows(`SELECT ${COLUMNS} FROM diagnostics ${where} ORDER BY ${by} LIMIT ${CHUNK}`, ...values)
  return rows.map(rowFrom)
}

/** What an index finds; the rest is looked at row by row, so that passing over it is bounded. */
function keyOf({ tenantId }: ReadScope, { runId, traceId }: DiagnosticFilter): [column: string, value: string] | null {
  if (runId !== null) return ['run_id', runId]
  if (traceId !== null) return ['trace_id', traceId]
  return tenantId === null ? null : ['tenant_id', tenantId]
}

/** Where times begin and end, by position: a look at last week does not pass over the days since. */
async function boundsOf(
  db: Session,
  { mode }: ReadScope,
  { since, until }: DiagnosticFilter,
): Promise<[string, number][]> {
  const bounds: [string, number][] = []
  const edge = async (which: 'min' | 'max', comparison: string, direction: string, time: number) => {
    const row = await db.row(
      `SELECT ${which}(position) AS edge FROM (SELECT position FROM diagnostics
       WHERE mode = $1 AND recorded_at ${comparison} $2 ORDER BY recorded_at ${direction} LIMIT ${SLACK_ROWS}) near`,
      modes.encode(mode),
      time,
    )
    return row?.['edge'] as number | null
  }
  if (since !== null) bounds.push(['>=', (await edge('min', '>=', 'ASC', since)) ?? Number.MAX_SAFE_INTEGER])
  if (until !== null) bounds.push(['<=', (await edge('max', '<', 'DESC', until)) ?? 0])
  return bounds
}

export async function lastPosition(db: Session): Promise<number> {
  const row = await db.row('SELECT max(position) AS last FROM diagnostics')
  return (row?.['last'] as number | null) ?? 0
}

export async function erase(db: Session, { scope, runId, limit }: Input<'erase'>): Promise<number> {
  const tenant = scope.tenantId === null ? '' : ' AND tenant_id = $4'
  const values = [modes.encode(scope.mode), runId, limit, ...(scope.tenantId === null ? [] : [scope.tenantId])]
  return await db.run(
    `DELETE FROM diagnostics WHERE position = ANY (ARRAY(
       SELECT position FROM diagnostics WHERE mode = $1 AND run_id = $2${tenant} LIMIT $3))`,
    ...values,
  )
}

/** Several nodes may be at it: what one has in hand the others leave alone. */
export async function prune(db: Session, { mode, before, limit }: Input<'prune'>): Promise<number> {
  return await db.run(
    `DELETE FROM diagnostics WHERE position = ANY (ARRAY(SELECT position FROM diagnostics
       WHERE mode = $1 AND recorded_at < $2 ORDER BY recorded_at LIMIT $3 FOR UPDATE SKIP LOCKED))`,
    modes.encode(mode),
    before,
    limit,
  )
}

export async function pruneBeyond(db: Session, { keep, limit }: Input<'pruneBeyond'>): Promise<number> {
  return await db.run(
    `DELETE FROM diagnostics WHERE position = ANY (ARRAY(SELECT position FROM diagnostics
       WHERE position <= (SELECT max(position) FROM diagnostics) - $1::bigint ORDER BY position LIMIT $2 FOR UPDATE SKIP LOCKED))`,
    keep,
    limit,
  )
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
