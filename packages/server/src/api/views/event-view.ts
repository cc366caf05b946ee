import type { EventRow } from '../../store/rows.ts'
import { hexView } from './hex.ts'
import { optionalTimeView, timeView } from './time.ts'

/** What is left of an event whose payload is gone. */
export function goneEventView(row: EventRow): string {
  return JSON.stringify({
    event_id: row.eventId,
    type: row.type,
    schema_version: row.schemaVersion,
    recorded_at: timeView(row.recordedAt),
    mode: row.mode,
    tenant_id: row.tenantId,
    ...(row.runId === null ? {} : { run_id: row.runId, sequence: row.sequence }),
    data: null,
    [row.payloadGone?.by === 'retention' ? 'payload_expired_at' : 'erased_at']: optionalTimeView(
      row.payloadGone?.at ?? null,
    ),
    body_sha256: null,
    deliveries: row.deliveries,
  })
}

/**
 * An event as JSON text (`EventView`): a body with two members added at its end. The body is never parsed and written
 * anew: that would change numbers such as 12345678901234567890 or 1.0, and escapes.
 *
 * @param body as its reader may see it
 * @param whole the reader may see all of it, and so the hash of all of it: of a short text a hash can be guessed
 */
export function eventView(row: EventRow, body: Uint8Array, whole: boolean): string {
  const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8')
  const added = { body_sha256: whole ? hexView(row.bodySha256) : null, deliveries: row.deliveries }
  return `${text.slice(0, -1)},${JSON.stringify(added).slice(1)}`
}
