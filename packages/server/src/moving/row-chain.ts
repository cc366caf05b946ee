import { createHash } from 'node:crypto'
import { columnsOf, type MovedRow, type MovedTable, type MovedValue } from '../store/moved-tables.ts'

export const NOTHING = '0'.repeat(64)

/**
 * The hash of a table's rows so far, in the order of their keys, and one row more: the same only for the same rows in the same
 * order. It can be gone on from wherever it is kept. Bytes count by their own SHA-256, see `digestBytes`.
 */
export function chainRow(hash: string, row: MovedRow): string {
  const sha = createHash('sha256').update(hash)
  for (const value of row) sha.update(`\n${JSON.stringify(value)}`)
  return sha.digest('hex')
}

/** A row with the SHA-256 of its bytes in their place, in hex. */
export function digestBytes(table: MovedTable, row: MovedRow): MovedRow {
  const kinds = Object.values(columnsOf(table).columns)
  return kinds.includes('bytes') ? row.map(digestOf) : row
}

function digestOf(value: MovedValue): MovedValue {
  return value instanceof Uint8Array ? createHash('sha256').update(value).digest('hex') : value
}
