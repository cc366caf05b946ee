import { HEADERS } from '../contract/headers.ts'

export interface HeaderNames {
  id: string
  timestamp: string
  signature: string
}

const PREFIX = /^[a-z][a-z0-9-]{0,62}[a-z0-9]$/

/**
 * The names of the three signature headers, in lower case.
 * @param prefix `acme` makes `acme-id`, `acme-timestamp`, `acme-signature`; 2 to 64 letters, digits and dashes.
 * @default "webhook"
 * @throws TypeError for a prefix that cannot start a header name
 */
export function headerNames(prefix: string = 'webhook'): HeaderNames {
  const lower = prefix.toLowerCase()
  if (lower === 'webhook') return { id: HEADERS.id, timestamp: HEADERS.timestamp, signature: HEADERS.signature }
  if (!PREFIX.test(lower)) throw new TypeError('a header prefix is 2 to 64 letters, digits and dashes, such as "acme"')
  return { id: `${lower}-id`, timestamp: `${lower}-timestamp`, signature: `${lower}-signature` }
}
