/** What may stand in a cell; `null` is an empty one. */
export type Cell = string | number | null

/** With one of these first, a spreadsheet takes a cell for a formula (OWASP, "CSV Injection"). */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/
/** Needs no quotes, whatever a reader takes for a separator. */
const PLAIN = /^[A-Za-z0-9_.:/#-]*$/

/**
 * One record of a CSV file (RFC 4180), with its line end. Text that would be a formula is led by an apostrophe, which spreadsheets
 * take for "this is text".
 */
export function csvRecord(cells: readonly Cell[]): string {
  return `${cells.map(cellText).join(',')}\r\n`
}

function cellText(cell: Cell): string {
  if (cell === null) return ''
  if (typeof cell === 'number') return String(cell)
  const text = FORMULA.test(cell) ? `'${cell}` : cell
  return PLAIN.test(text) ? text : `"${text.replaceAll('"', '""')}"`
}
