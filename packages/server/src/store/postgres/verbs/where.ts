import type { ReadScope } from '../../rows.ts'
import { modes } from '../../codes.ts'
import type { Row, SqlValue } from '../session.ts'

interface Wanted {
  column: string
  value: SqlValue
  /** What the column has to be, with `?` for the value. @default the value itself */
  term?: string
}

/** Whether a scope is one tenant. */
export function isOneTenant(scope: ReadScope): scope is ReadScope & { tenantId: string } {
  return scope.tenantId !== null
}

/** Conditions and their values, in the same order; `?` stands for the next value. */
export class Where {
  readonly #conditions: string[] = []
  readonly values: SqlValue[] = []

  and(condition: string, ...values: SqlValue[]): this {
    // TEXT refuses NUL: nothing that is kept can be equal to it.
    if (values.some((value) => typeof value === 'string' && value.includes('\0'))) {
      this.#conditions.push('FALSE')
      return this
    }
    let next = this.values.length
    this.#conditions.push(condition.replaceAll('?', () => `$${++next}`))
    this.values.push(...values)
    return this
  }

  /** Every query of tenants' rows starts with this one. */
  scope(table: string, scope: ReadScope): this {
    this.and(`${table}.mode = ?`, modes.encode(scope.mode))
    return scope.tenantId === null ? this : this.and(`${table}.tenant_id = ?`, scope.tenantId)
  }

  /**
   * Only rows with these values in these columns, before a position: by the index on the columns and the position, whose order has to
   * be asked for as it is returned. With `=` Postgres would rather walk back through all rows, because it believes that those which
   * are wanted are spread evenly among them; where the wanted are old, that is the whole history. No other index has this order.
   */
  newest(wanted: readonly Wanted[], position: string, after: number | null): string {
    const columns = wanted.map(({ column }) => column)
    const places = wanted.map(({ term }) => term ?? '?').join(', ')
    const values = wanted.map(({ value }) => value)
    this.and(`(${columns.join(', ')}) >= (${places})`, ...values)
    if (after === null) this.and(`(${columns.join(', ')}) <= (${places})`, ...values)
    else this.and(`(${[...columns, position].join(', ')}) < (${places}, ?)`, ...values, after)
    return [...columns, position].map((column) => `${column} DESC`).join(', ')
  }

  /** As `scope` of one tenant, and the order, newest first. */
  newestOfTenant(
    table: string,
    scope: ReadScope & { tenantId: string },
    position: string,
    after: number | null,
  ): string {
    const mode = { column: `${table}.mode`, value: modes.encode(scope.mode) }
    return this.newest([mode, { column: `${table}.tenant_id`, value: scope.tenantId }], position, after)
  }

  /** Only rows with these values in these columns, after one position up to another, in rising order: as `newest`, the other way. */
  oldest(wanted: readonly Wanted[], position: string, { after, upTo }: { after: number; upTo: number }): string {
    const columns = [...wanted.map(({ column }) => column), position]
    const places = [...wanted.map(({ term }) => term ?? '?'), '?'].join(', ')
    const values = wanted.map(({ value }) => value)
    this.and(`(${columns.join(', ')}) > (${places})`, ...values, after)
    this.and(`(${columns.join(', ')}) <= (${places})`, ...values, upTo)
    return columns.join(', ')
  }

  /** As `scope` of one tenant, and the rising order. */
  oldestOfTenant(
    table: string,
    scope: ReadScope & { tenantId: string },
    position: string,
    range: { after: number; upTo: number },
  ): string {
    const mode = { column: `${table}.mode`, value: modes.encode(scope.mode) }
    return this.oldest([mode, { column: `${table}.tenant_id`, value: scope.tenantId }], position, range)
  }

  /** The next value, where it stands in no condition. */
  place(value: SqlValue): string {
    this.values.push(value)
    return `$${this.values.length}`
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
/** Rows that are read at once to look for those a filter wants. */
const CHUNK = 2000

/** A page of rows that are all wanted, from one row more than its limit. */
export function pageOf(rows: Row[], limit: number): { rows: Row[]; next: number | null } {
  if (rows.length <= limit) return { rows, next: null }
  const found = rows.slice(0, limit)
  return { rows: found, next: found.at(-1)?.['position'] as number }
}

/**
 * The positions of the first `limit` rows that are wanted; `next` is the position to go on after.
 * @param read answers with rows before a position, newest first, `position` among their columns
 */
export async function collectPage(
  { limit, after }: { limit: number; after: number | null },
  read: (after: number | null, limit: number) => Promise<Row[]>,
  wanted: (row: Row) => boolean,
): Promise<{ positions: number[]; next: number | null }> {
  const positions: number[] = []
  let last = after
  for (let scanned = 0; ;) {
    const rows = await read(last, CHUNK)
    for (const row of rows) {
      if (positions.length === limit || scanned === MAX_SCANNED) return { positions, next: last }
      scanned++
      last = row['position'] as number
      if (wanted(row)) positions.push(last)
    }
    if (rows.length < CHUNK) return { positions, next: null }
  }
}
