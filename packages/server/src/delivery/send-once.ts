import type { Claim } from '../store/rows.ts'
import type { Store } from '../store/store.ts'
import { attemptDelivery, type AttemptDependencies, type AttemptResult } from './attempt.ts'
import type { OpenEndpoints } from './endpoint-cache.ts'

/** Something to be sent that is nobody's delivery. */
export interface SendOnce extends Pick<Claim, 'endpointId' | 'eventId' | 'deliveryId' | 'body'> {}

/** `null`: the endpoint is gone, or is not sent to. `busy`: too much of this kind is under way. */
export type SentOnce = AttemptResult | 'busy' | null

/** Sends to one endpoint at once, and of all together: whoever asks waits for a receiver, who may take a minute. */
const MAX_OF_ENDPOINT = 1
const MAX_OF_ALL = 16

/**
 * Sends to an endpoint once, through the same door and signed as any delivery, and puts nothing on record: no circuit, no
 * slot and no status of the endpoint changes by it. Not held up by what the endpoint has waiting.
 */
export function createSendOnce({
  store,
  open,
  ...dependencies
}: AttemptDependencies & { store: Pick<Store, 'loadEndpoints'>; open: OpenEndpoints }) {
  const underWay: string[] = []

  async function send(input: SendOnce): Promise<AttemptResult | null> {
    const { endpoints } = await store.loadEndpoints({ endpointIds: [input.endpointId] })
    const [endpoint] = await open(endpoints)
    if (endpoint === undefined || endpoint.url === null) return null
    return attemptDelivery({ ...input, number: 1 }, endpoint, dependencies)
  }

  return async (input: SendOnce): Promise<SentOnce> => {
    const ofEndpoint = underWay.filter((id) => id === input.endpointId).length
    if (underWay.length >= MAX_OF_ALL || ofEndpoint >= MAX_OF_ENDPOINT) return 'busy'
    underWay.push(input.endpointId)
    try {
      return await send(input)
    } finally {
      underWay.splice(underWay.indexOf(input.endpointId), 1)
    }
  }
}
