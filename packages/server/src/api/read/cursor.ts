import { createHmac, timingSafeEqual } from 'node:crypto'
import { refused } from '../http/problem.ts'

/** Makes and reads the cursors of keyset paging. */
export interface Cursors {
  /** @param list what is listed, with everything that decides which rows are in it */
  encode(list: CursorList, position: number): string
  /** @throws Refused `cursor_invalid` for one this server did not make for this list */
  decode(list: CursorList, cursor: string): number
}

/** A list: the same route with the same filters, seen with the same rights. */
export interface CursorList {
  route: string
  filter: unknown
}

const POSITION_BYTES = 8
const MAC_BYTES = 16
const CURSOR = /^[A-Za-z0-9_-]{32}$/

/**
 * A cursor is a position with an HMAC over it and the list it belongs to: a forged one, or one of another list, is
 * refused, so a position never becomes a way to look at what the filters would hide.
 */
export function createCursors(secret: Uint8Array): Cursors {
  function sign(list: CursorList, position: Uint8Array): Buffer {
    const text = JSON.stringify([1, list.route, list.filter])
    return createHmac('sha256', secret).update(text).update(position).digest().subarray(0, MAC_BYTES)
  }

  return {
    encode(list, position) {
      const bytes = Buffer.alloc(POSITION_BYTES)
      bytes.writeBigUInt64BE(BigInt(position))
      return Buffer.concat([bytes, sign(list, bytes)]).toString('base64url')
    },

    decode(list, cursor) {
      const bytes = Buffer.from(CURSOR.test(cursor) ? cursor : '', 'base64url')
      const position = bytes.subarray(0, POSITION_BYTES)
      const known = bytes.length === POSITION_BYTES + MAC_BYTES
      if (known && timingSafeEqual(bytes.subarray(POSITION_BYTES), sign(list, position))) {
        return Number(position.readBigUInt64BE())
      }
      const fix = 'Pass next_cursor of the page before, with the same filters, or leave cursor out to start anew.'
      throw refused('cursor_invalid', 'This cursor was not made for this list and these filters.', fix)
    },
  }
}
