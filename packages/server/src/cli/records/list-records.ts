import type { Page } from '@runbell/sdk/contract'
import type { ApiClient } from '../api-client.ts'
import { CliError, EXIT } from '../cli-error.ts'
import { printLine } from '../output.ts'

export interface ListOptions {
  limit?: string
  json?: boolean
}

/** The most that a page has. */
const PAGE = 200
const DEFAULT_LIMIT = 50

/** How a record of one kind is shown. */
export interface RecordColumns<Item> {
  /** In the plural, such as `events`. */
  kind: string
  heading: readonly string[]
  cells(item: Item): readonly (string | number | null)[]
}

/**
 * Prints a list, page after page: as lines of JSON, or as a table for people. A page at a time is in memory.
 * @param path with its filters as query
 */
export async function listRecords<Item>(
  api: ApiClient,
  path: string,
  { limit: text, json }: ListOptions,
  columns: RecordColumns<Item>,
): Promise<number> {
  const limit = readLimit(text)
  let left = limit
  let cursor: string | null = null
  do {
    const url: URL = new URL(path, 'http://x')
    url.searchParams.set('limit', String(Math.min(left, PAGE)))
    if (cursor !== null) url.searchParams.set('cursor', cursor)
    const page: Page<Item> = await api.get<Page<Item>>(`${url.pathname}${url.search}`)
    if (json === true) for (const item of page.data) printLine(JSON.stringify(item))
    else
      for (const line of table(page.data.map(columns.cells), left === limit ? columns.heading : null)) printLine(line)
    if (page.data.length === 0 && left === limit && json !== true)
      process.stderr.write(`There are no ${columns.kind}.\n`)
    left -= page.data.length
    cursor = page.next_cursor
  } while (cursor !== null && left > 0)
  return EXIT.ok
}

/** @throws CliError */
function readLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new CliError(`--limit "${text}" is not a whole number from 1`, EXIT.usage)
}

/** What somebody else has written must not steer the terminal. */
function cellText(cell: string | number | null): string {
  return cell === null ? '—' : String(cell).replaceAll(/\p{C}/gu, '').slice(0, 80)
}

function table(rows: readonly (readonly (string | number | null)[])[], heading: readonly string[] | null): string[] {
  if (rows.length === 0) return []
  const texts = [...(heading === null ? [] : [heading]), ...rows.map((row) => row.map(cellText))]
  const widths = (texts[0] as readonly string[]).map((_, column) =>
    Math.max(...texts.map((row) => row[column]?.length ?? 0)),
  )
  return texts.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** One record, whole: one line of JSON, or JSON to be read. */
export function printRecord(record: unknown, { json }: { json?: boolean }): void {
  printLine(JSON.stringify(record, null, json === true ? 0 : 2))
}

/** To the second, UTC. */
export function timeText(time: string | null): string | null {
  return time === null ? null : `${time.slice(0, 19).replace('T', ' ')}Z`
}
