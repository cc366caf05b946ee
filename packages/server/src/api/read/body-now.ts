import { wantOf } from '../../accept/matcher.ts'
import type { ClassMask } from '../../core/data-classes.ts'
import { renderStored } from '../../core/stored-event.ts'
import type { EndpointRow, EventRow } from '../../store/rows.ts'
import type { ApiContext } from '../context.ts'
import { contractOf } from './cut-for-key.ts'

/** The body an endpoint gets of an event that was accepted before it was made; `bytes` is `null` for the uncut body. */
export function bodyNow(
  context: ApiContext,
  event: EventRow,
  endpoint: EndpointRow,
): { bytes: Uint8Array | null; classes: ClassMask } {
  const body = renderStored(event, wantOf(endpoint, event.type), contractOf(context, event), context.publicUrl)
  if (body === null) return { bytes: null, classes: event.classes }
  return { bytes: Buffer.concat([Buffer.from(body.prefix, 'utf8'), body.rest]), classes: body.classes }
}
