import type { EventRow } from '../../store/rows.ts'
import { hexView } from './hex.ts'

/**
 * An event as JSON text (`EventView`): the stored body with two members added at its end. The body is never parsed and
 * written anew: that would change numbers such as 12345678901234567890 or 1.0, and escapes.
 */
export function eventView(row: EventRow): string {
  const body = Buffer.from(row.body.buffer, row.body.byteOffset, row.body.length).toString('utf8')
  const added = { body_sha256: hexView(row.bodySha256), deliveries: row.deliveries }
  return `${body.slice(0, -1)},${JSON.stringify(added).slice(1)}`
}
