import type { AttemptView } from '@runbell/sdk/contract'
import { attemptId } from '../../core/attempt-id.ts'
import type { AttemptRow, DeliveryRow } from '../../store/rows.ts'
import { diagnose } from './diagnosis.ts'
import { timeView } from './time.ts'

/** @param whole the reader may see all of the body: receivers answer with what they got, whole or in part */
export function attemptView(delivery: Pick<DeliveryRow, 'id'>, row: AttemptRow, whole: boolean): AttemptView {
  return {
    id: attemptId(delivery.id, row.number),
    delivery_id: delivery.id,
    number: row.number,
    trigger: row.trigger,
    started_at: timeView(row.startedAt),
    duration_ms: row.durationMs,
    outcome: row.outcome,
    status_code: row.statusCode,
    request_headers: joinHeaders(row.requestHeaders),
    response_headers: row.responseHeaders,
    response_excerpt: row.excerpt === null || !whole ? null : excerptView(row.excerpt, row.truncated),
    phases_ms: row.phases,
    diagnosis: diagnose(row.outcome, row.statusCode),
  }
}

/** One value a name; several are joined as RFC 9110, section 5.3 allows. */
function joinHeaders(headers: readonly [string, string][]): Record<string, string> {
  const joined = new Map<string, string>()
  for (const [name, value] of headers) {
    const before = joined.get(name)
    joined.set(name, before === undefined ? value : `${before}, ${value}`)
  }
  return Object.fromEntries(joined)
}

/** Text where it is UTF-8, else base64. A cut can fall inside a character: its bytes are left out of the text. */
function excerptView(bytes: Uint8Array, truncated: boolean): NonNullable<AttemptView['response_excerpt']> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  try {
    return { text: decoder.decode(bytes, { stream: truncated }), truncated }
  } catch {
    return { base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64'), truncated }
  }
}
