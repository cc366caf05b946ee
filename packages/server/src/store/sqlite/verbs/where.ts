import type { SQLInputValue } from 'node:sqlite'
import type { ReadScope } from '../../rows.ts'
import { modes } from '../codes.ts'
import type { Database, Row } from '../database.ts'

/** The index of runs begins with the tenant: one step to each tenant there is, and one to its run. */
const RUNS_OF_ALL = `WITH RECURSIVE of_mode (tenant_id) AS (
    SELECT (SELECT min(tenant_id) FROM runs WHERE mode = ?)
    UNION ALL
    SELECT (SELECT min(r.tenant_id) FROM runs r WHERE r.mode = ? AND r.tenant_id > m.tenant_id)
    FROM of_mode m WHERE m.tenant_id IS NOT NULL)
  SELECT r.ref FROM of_mode m CROSS JOIN runs r ON r.mode = ? AND r.tenant_id = m.tenant_id AND r.run_id = ?`

/** Conditions and their values, in the same order. The text holds no value, so statements can be kept prepared. */
export class Where {
  readonly #conditions: string[] = []
  readonly values: SQLInputValue[] = []

  and(condition: string, ...values: SQLInputValue[]): this {
    this.#conditions.push(condition)
    this.values.push(...values)
    return this
  }

  /** Every query of tenants' rows starts with this one. */
  scope(table: string, scope: ReadScope): this {
    this.and(`${table}.mode = ?`, modes.encode(scope.mode))
    return scope.tenantId === null ? this : this.and(`${table}.tenant_id = ?`, scope.tenantId)
  }

  before(column: string, position: number | null): this {
    return position === null ? this : this.and(`${column} < ?`, position)
  }

  /** `column` refers to a run with this id: one of the tenant's, or one of every tenant's. */
  run(column: string, scope: ReadScope, runId: string): this {
    const mode = modes.encode(scope.mode)
    if (scope.tenantId === null) return this.and(`${column} IN (${RUNS_OF_ALL})`, mode, mode, mode, runId)
    const runs = 'SELECT ref FROM runs WHERE mode = ? AND tenant_id = ? AND run_id = ?'
    return this.and(`${column} IN (${runs})`, mode, scope.tenantId, runId)
  }

  from(column: string, position: number): this {
    return this.and(`${column} >= ?`, position)
  }

  get text(): string {
    return this.#conditions.length === 0 ? '' : `WHERE ${this.#conditions.join(' AND ')}`
  }
}

/** Positions that one page goes through in their order, where no index leads to its rows. */
const MOST_POSITIONS = 50_000

/** A part of a table's positions: from the lowest that is looked at. `next`: where to go on after that; `null`: there is nothing below. */
export interface Stretch {
  from: number
  next: number | null
}

/**
 * What one page looks at of a list that has no index of its own: who has few rows among those of others must not keep the reader
 * from everybody else while they are looked for.
 */
export function stretchBelow(db: Database, table: 'events' | 'deliveries', after: number | null): Stretch {
  const end = (which: 'min' | 'max') =>
    (db.prepare(`SELECT ${which}(position) AS position FROM ${table}`).get()?.['position'] as number | null) ?? 0
  const from = (after ?? end('max') + 1) - MOST_POSITIONS
  return { from, next: from > end('min') ? from : null }
}

/** Rows a page looks at before it ends short: what a filter has to pass over must not hold a reader up for long. */
const MAX_SCANNED = 20_000

/** Takes the first `limit` rows that are wanted; `next` is the position to go on after. */
export function collectPage(
  rows: Iterable<Row>,
  limit: number,
  wanted: (row: Row) => boolean,
): { rows: Row[]; next: number | null } {
  const found: Row[] = []
  let scanned = 0
  let last = 0
  for (const row of rows) {
    if (found.length === limit || scanned === MAX_SCANNED) return { rows: found, next: last }
    scanned++
    last = row['position'] as number
    if (wanted(row)) found.push(row)
  }
  return { rows: found, next: null }
}
