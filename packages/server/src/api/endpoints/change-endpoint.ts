import { notFound } from '../http/problem.ts'
import { scopeOf, type Finding } from '../read/find.ts'
import type { EndpointChange, EndpointRow } from '../../store/rows.ts'

/** What a change needs of a call. */
export type Changing = Finding & { now: number }

/** Makes one change and tells delivery about it. @throws Refused `not_found` when it does not fit any more */
export async function changeEndpoint(call: Changing, endpointId: string, wanted: EndpointChange): Promise<EndpointRow> {
  const { context, now } = call
  const changed = await context.store.changeEndpoint({ scope: scopeOf(call), endpointId, change: wanted, now })
  if (changed === null) throw notFound()
  context.wake({ endpointIds: [endpointId], configVersion: changed.configVersion })
  return changed.endpoint
}
