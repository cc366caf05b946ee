import { HEADERS, type DeliveryView } from '@runbell/sdk/contract'
import { CliError } from '../cli-error.ts'
import { findServer, type ServerOptions } from '../server/find-server.ts'
import { readFileBytes } from './read-bytes.ts'
import type { SavedRequest } from './saved-request.ts'

export interface SentOptions extends ServerOptions {
  /** A file with the body as it was sent. */
  sent?: string
  /** Ask the server for it. */
  askServer?: boolean
}

const BODY_BYTES = 2 * 1024 * 1024

/** The body as it was sent, where somebody says where to find it. */
export async function sentBytes(request: SavedRequest, options: SentOptions): Promise<Uint8Array | undefined> {
  if (options.sent !== undefined) return await readFileBytes(options.sent, BODY_BYTES)
  if (options.askServer !== true) return undefined
  const name = HEADERS.deliveryId
  const id = request.headers.find(([known]) => known.toLowerCase() === name)?.[1]
  if (id === undefined) {
    throw new CliError(`without the header ${name} the server cannot find what it sent: leave --ask-server out`)
  }
  const { api } = findServer(options)
  const delivery = await api.get<DeliveryView>(`/v1/deliveries/${encodeURIComponent(id)}`)
  const { event_id: eventId, endpoint_id: endpointId } = delivery
  return await api.bytes(`/v1/events/${encodeURIComponent(eventId)}/body?endpoint_id=${encodeURIComponent(endpointId)}`)
}
