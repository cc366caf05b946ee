/** Names of the headers of a delivery. The `webhook-*` ones are Standard Webhooks; the others inform and are not signed. */
export const HEADERS = {
  id: 'webhook-id',
  timestamp: 'webhook-timestamp',
  signature: 'webhook-signature',
  attempt: 'runbell-attempt',
  deliveryId: 'runbell-delivery-id',
} as const
