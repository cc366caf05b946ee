import { invalid, notFound, type Refused } from '../http/problem.ts'
import { scopeOf, type Finding } from '../read/find.ts'
import { auditOf, type Asking, type Change } from '../access/audit.ts'
import type { EndpointChange, EndpointRow } from '../../store/rows.ts'

/** What a change needs of a call. */
export type Changing = Finding & Asking

/** What the tenant may not be granted, an endpoint of it may not either (details 11). */
export function exceedsTenant(): Refused {
  const message = 'is more than the tenant may be granted'
  return invalid([{ path: '/data_classes', message }], 'Ask for less, or have the limit of the tenant raised.')
}

/** What is put on record of a change; whose endpoint it is, the endpoint says. */
type OnRecord = Omit<Change, 'target' | 'tenantId'>

/** Makes one change and tells delivery about it. @throws Refused `not_found` when it does not fit any more */
export async function changeEndpoint(
  call: Changing,
  { id: endpointId, tenantId }: Pick<EndpointRow, 'id' | 'tenantId'>,
  wanted: EndpointChange,
  record: OnRecord,
): Promise<EndpointRow> {
  const { context, now } = call
  const audit = auditOf(call, { ...record, target: endpointId, tenantId })
  const changed = await context.store.changeEndpoint({ scope: scopeOf(call), endpointId, change: wanted, now, audit })
  if (changed === null) throw await misfit(call, endpointId, wanted)
  context.wake({ endpointIds: [endpointId], configVersion: changed.configVersion })
  return changed.endpoint
}

/** A change of grants that does not fit an endpoint which is there is one that its tenant does not allow. */
async function misfit(call: Changing, endpointId: string, { kind, ...change }: EndpointChange): Promise<Refused> {
  const grants = kind === 'patch' && 'patch' in change && change.patch.dataClasses !== undefined
  if (!grants) return notFound()
  const found = await call.context.store.findEndpoint({ scope: scopeOf(call), endpointId })
  return found === null ? notFound() : exceedsTenant()
}
