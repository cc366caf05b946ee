import type { Clock } from '../../core/clock.ts'
import { textAnswer, type Answer } from '../http/answer.ts'
import type { CursorPage, PageRequest } from '../../store/rows.ts'
import type { CursorList, Cursors } from './cursor.ts'

/** Where a page starts and how long it may be. */
export function pageRequest(
  cursors: Cursors,
  list: CursorList,
  query: { limit: number; cursor?: string | undefined },
): PageRequest {
  return { limit: query.limit, after: query.cursor === undefined ? null : cursors.decode(list, query.cursor) }
}

/** How long a list goes on looking for rows that fill its page, in ms. */
const LOOK_MS = 1000

/**
 * Reads until the page is full, there is nothing more, or a second has passed: one call of the store looks at so many rows only, and
 * others have their turns in between. A page may be short, or empty, and have a cursor all the same.
 */
export async function fillPage<Row>(
  clock: Pick<Clock, 'monotonic'>,
  page: PageRequest,
  read: (page: PageRequest) => Promise<CursorPage<Row>>,
): Promise<CursorPage<Row>> {
  const until = clock.monotonic() + LOOK_MS
  const rows: Row[] = []
  for (let { after } = page; ;) {
    const part = await read({ limit: page.limit - rows.length, after })
    for (const row of part.rows) rows.push(row)
    after = part.next
    if (after === null || rows.length >= page.limit || clock.monotonic() >= until) return { rows, next: after }
  }
}

/**
 * `{data, next_cursor}` from rows that are rendered one by one.
 * @param render the row as JSON text, so that numbers of a stored body pass through as they are
 */
export function pageAnswer<Row>(
  cursors: Cursors,
  list: CursorList,
  page: CursorPage<Row>,
  render: (row: Row) => string,
): Answer {
  const next = page.next === null ? null : cursors.encode(list, page.next)
  return textAnswer(200, `{"data":[${page.rows.map(render).join(',')}],"next_cursor":${JSON.stringify(next)}}`)
}
