import { readScope, type Principal } from '../access/principal.ts'
import { notFound, refused } from '../http/problem.ts'
import type { ApiServices } from '../route.ts'
import type { DeliveryRow, EndpointRow, EventRow, ReadScope } from '../../store/rows.ts'

/** What the finders need of a call. */
export interface Finding extends ApiServices {
  principal: Principal
  query: { tenant_id?: string | undefined }
  id(name: string): string
}

/** Ids are asked of the store only if they could be one. */
const ID = /^[A-Za-z0-9_-]{1,100}$/

export function idIn(call: Finding, name: string): string {
  const id = call.id(name)
  if (!ID.test(id)) throw notFound()
  return id
}

export function scopeOf(call: Finding): ReadScope {
  return readScope(call.principal, call.query.tenant_id)
}

/** The event named in the path. Two tenants may have used the same id (details 10). @throws Refused */
export async function findEvent(call: Finding): Promise<EventRow> {
  const events = await call.context.store.findEvents({ scope: scopeOf(call), eventId: idIn(call, 'event_id') })
  const [event] = events
  if (event === undefined) throw notFound()
  if (events.length === 1) return event
  throw refused('ambiguous_id', 'More than one tenant has an event with this id.', 'Add ?tenant_id= to say which one.')
}

export async function findDelivery(call: Finding): Promise<DeliveryRow> {
  const delivery = await call.context.store.findDelivery({
    scope: scopeOf(call),
    deliveryId: idIn(call, 'delivery_id'),
  })
  if (delivery === null) throw notFound()
  return delivery
}

export async function findEndpoint(call: Finding): Promise<EndpointRow> {
  const endpoint = await call.context.store.findEndpoint({
    scope: scopeOf(call),
    endpointId: idIn(call, 'endpoint_id'),
  })
  if (endpoint === null) throw notFound()
  return endpoint
}
