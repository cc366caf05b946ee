import { columnsOf, type ColumnKind, type MovedRow, type MovedTable, type MovedValue } from '../../moved-tables.ts'
import type { Session } from '../session.ts'

const TYPES: Readonly<Record<ColumnKind, string>> = {
  integer: 'bigint',
  float: 'double precision',
  text: 'text',
  json: 'text',
  bytes: 'bytea',
  boolean: 'boolean',
}

/** Columns that are here alone. A node that moved is dead: what it held is up for rescue, as after any crash. */
const CONSTANTS: Partial<Record<MovedTable, { column: string; value: string }>> = {
  nodes: { column: 'lease_until', value: 'to_timestamp(0)' },
}

const ON_CONFLICT: Partial<Record<MovedTable, string>> = {
  settings: 'ON CONFLICT (name) DO UPDATE SET value = excluded.value',
}

/** Puts rows into their table in one statement, with the keys they have. */
export async function insertRows(db: Session, table: MovedTable, rows: readonly MovedRow[]): Promise<void> {
  if (rows.length === 0) return
  const { columns } = columnsOf(table)
  const names = Object.keys(columns)
  const arrays = Object.values(columns).map((kind, index) => `$${index + 1}::${TYPES[kind]}[]`)
  const constant = CONSTANTS[table]
  const into = [...names, ...(constant === undefined ? [] : [constant.column])]
  const values = ['moved.*', ...(constant === undefined ? [] : [constant.value])]
  await db.run(
    `INSERT INTO ${table} (${into.join(', ')}) OVERRIDING SYSTEM VALUE
     SELECT ${values.join(', ')} FROM unnest(${arrays.join(', ')}) AS moved (${names.join(', ')}) ${ON_CONFLICT[table] ?? ''}`,
    ...names.map((_, index) => rows.map((row) => arrayValue(row[index] ?? null))),
  )
}

/** Bytes go as the text form that Postgres reads them from. */
function arrayValue(value: MovedValue): string | number | boolean | null {
  return value instanceof Uint8Array
    ? `\\x${Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex')}`
    : value
}
