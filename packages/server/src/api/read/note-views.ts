import type { EventRow } from '../../store/rows.ts'
import type { Call } from '../route.ts'

/** Who looks, and with which request. */
export type Reader = Pick<Call<unknown, unknown>, 'context' | 'principal' | 'requestId' | 'now'>

/** Every look at a payload is put on record, however much of it the key may see. */
export async function noteViews(
  { context, principal, requestId, now: at }: Reader,
  rows: readonly EventRow[],
): Promise<void> {
  const { keyId: actor, mode } = principal
  await context.views.note(
    rows
      .filter(({ payloadGone: gone }) => gone === null)
      .map(({ tenantId, eventId: target }) => ({ mode, tenantId, at, actor, target, requestId })),
  )
}
