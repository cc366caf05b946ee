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
