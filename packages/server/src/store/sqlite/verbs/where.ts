import type { SQLInputValue } from 'node:sqlite'
import type { ReadScope } from '../../rows.ts'
import { modes } from '../codes.ts'
import type { Row } from '../database.ts'

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

  run(column: string, scope: ReadScope, runId: string): this {
    const tenant = scope.tenantId === null ? '' : ' AND tenant_id = ?'
    const values = [modes.encode(scope.mode), runId, ...(scope.tenantId === null ? [] : [scope.tenantId])]
    return this.and(`${column} IN (SELECT ref FROM runs WHERE mode = ? AND run_id = ?${tenant})`, ...values)
  }

  get text(): string {
    return this.#conditions.length === 0 ? '' : `WHERE ${this.#conditions.join(' AND ')}`
  }
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
