import { HEADERS } from '@runbell/sdk/contract'
import type { AttemptOutcome, Transport } from '../core/attempt-outcome.ts'
import type { Clock } from '../core/clock.ts'
import type { Claim, EndpointRow, SecretRow } from '../store/rows.ts'

/** Makes the value of `webhook-signature`. */
export type Signer = (input: {
  id: string
  /** Unix seconds. */
  timestamp: number
  body: Uint8Array
  /** Newest first. */
  secrets: SecretRow[]
}) => string

export interface AttemptDependencies {
  transport: Transport
  clock: Clock
  sign: Signer
  userAgent: string
}

export interface AttemptResult {
  startedAt: number
  outcome: AttemptOutcome
  /** As sent, with the values of custom headers masked. */
  requestHeaders: [string, string][]
}

const MASK = '•••'

/** Signs a delivery's stored bytes and sends them once. What it came to is a value, never an exception. */
export async function attemptDelivery(
  claim: Claim,
  endpoint: EndpointRow,
  { transport, clock, sign, userAgent }: AttemptDependencies,
): Promise<AttemptResult> {
  const startedAt = clock.now()
  const timestamp = Math.floor(clock.wall() / 1000)
  const secrets = endpoint.secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > startedAt)
  let signature: string
  try {
    signature = sign({ id: claim.eventId, timestamp, body: claim.body, secrets })
  } catch {
    // Its message may quote a secret.
    const outcome: AttemptOutcome = { kind: 'not_sent', fault: 'no_resources', detail: 'signing failed' }
    return { startedAt, outcome, requestHeaders: [] }
  }
  const standard: [string, string][] = [
    ['content-type', endpoint.format === 'cloudevents' ? 'application/cloudevents+json' : 'application/json'],
    ['user-agent', userAgent],
    [HEADERS.id, claim.eventId],
    [HEADERS.timestamp, String(timestamp)],
    [HEADERS.signature, signature],
    [HEADERS.attempt, String(claim.number)],
    [HEADERS.deliveryId, claim.deliveryId],
  ]
  const custom = Object.entries(endpoint.headers)
  const outcome = await transport.send({
    url: endpoint.url as string,
    headers: [...standard, ...custom],
    body: claim.body,
    timeoutMs: endpoint.timeoutMs,
  })
  const masked = custom.map(([name]): [string, string] => [name, MASK])
  return { startedAt, outcome, requestHeaders: [...standard, ...masked] }
}
