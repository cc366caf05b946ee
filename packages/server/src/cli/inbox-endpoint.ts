import { DATA_CLASSES, type EndpointView } from '@runbell/sdk/contract'
import { ApiRefused, type ApiClient } from './api-client.ts'
import type { DevFile } from './dev-file.ts'

/** Every type: `*` leaves out the service's own, which must be named (details 13). */
const ALL_TYPES = ['*', 'runbell.*']
/** Whoever develops looks at their own data here, whole; what other endpoints get is shown with their deliveries. */
const ALL_CLASSES = DATA_CLASSES.filter((name) => name !== 'credential')
/** The inbox is on this machine and always there; what it misses while the port changes comes soon after. */
const RETRY_SCHEDULE_MS = [1000, 2000, 5000, 30_000]

/** Points the inbox's endpoint at its port of this run; makes it where there is none, or none any more. */
export async function placeInboxEndpoint(
  api: ApiClient,
  known: DevFile['inbox'],
  url: string,
): Promise<NonNullable<DevFile['inbox']>> {
  if (known !== null) {
    try {
      await api.patch(`/v1/endpoints/${encodeURIComponent(known.endpointId)}`, { url })
      return known
    } catch (error) {
      if (!(error instanceof ApiRefused) || error.status !== 404) throw error
    }
  }
  const { id, secret } = await api.post<EndpointView & { secret: string }>('/v1/endpoints', {
    url,
    tenant_id: '*',
    description: 'inbox',
    event_types: ALL_TYPES,
    data_classes: ALL_CLASSES,
    retry_schedule: RETRY_SCHEDULE_MS,
  })
  return { endpointId: id, secret }
}
