import { HEADERS } from '@runbell/sdk/contract'
import { headerNames } from '@runbell/sdk/signing'
import type { AttemptOutcome, Transport } from '../core/attempt-outcome.ts'
import type { Clock } from '../core/clock.ts'
import type { OpenEndpoint, OpenSecret } from '../secrets/open-endpoint.ts'
import type { Claim } from '../store/rows.ts'
import { echoesOf, maskEcho } from './mask-echo.ts'
import type { Relay } from './relay.ts'

/** Makes the value of `webhook-signature`. */
export type Signer = (input: {
  id: string
  /** Unix seconds. */
  timestamp: number
  body: Uint8Array
  /** Newest first. */
  secrets: OpenSecret[]
}) => string

export interface AttemptDependencies {
  transport: Transport
  /** The way to endpoints of kind `relay`. */
  relay?: Pick<Relay, 'send'>
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
  claim: Pick<Claim, 'eventId' | 'deliveryId' | 'number' | 'body'>,
  endpoint: OpenEndpoint,
  { transport, relay, clock, sign, userAgent }: AttemptDependencies,
): Promise<AttemptResult> {
  const startedAt = clock.now()
  const standard = signedHeaders(claim, endpoint, { clock, sign, userAgent })
  if (standard === 'sealed') return notSent(startedAt, 'the secrets of the endpoint do not open')
  if (standard === 'unsigned') return notSent(startedAt, 'signing failed')
  const own = ownHeaders(endpoint)
  const request = { headers: [...standard, ...own.sent], body: claim.body, timeoutMs: endpoint.timeoutMs }
  if (endpoint.kind === 'relay' && relay === undefined) return notSent(startedAt, 'nobody can listen here')
  const outcome =
    endpoint.kind === 'relay' && relay !== undefined
      ? await relay.send({ ...request, endpointId: endpoint.id, deliveryId: claim.deliveryId, number: claim.number })
      : await transport.send({ ...request, url: endpoint.url as string })
  return { startedAt, outcome: maskEcho(outcome, own.echoes), requestHeaders: [...standard, ...own.recorded] }
}

/**
 * The headers every delivery of an endpoint has, signed as of now. `sealed`: its secrets do not open; `unsigned`: they do not sign. What is
 * wrong with them is not told: it may quote a secret.
 */
export function signedHeaders(
  { eventId, deliveryId, number, body }: Pick<Claim, 'eventId' | 'deliveryId' | 'number' | 'body'>,
  endpoint: OpenEndpoint,
  { clock, sign, userAgent }: Pick<AttemptDependencies, 'clock' | 'sign' | 'userAgent'>,
): [name: string, value: string][] | 'sealed' | 'unsigned' {
  const timestamp = Math.floor(clock.wall() / 1000)
  const secrets = signingSecrets(endpoint, clock.now())
  if (secrets === null) return 'sealed'
  let signature: string
  try {
    signature = sign({ id: eventId, timestamp, body, secrets })
  } catch {
    return 'unsigned'
  }
  return [
    ['content-type', endpoint.format === 'cloudevents' ? 'application/cloudevents+json' : 'application/json'],
    ['user-agent', userAgent],
    [HEADERS.id, eventId],
    [HEADERS.timestamp, String(timestamp)],
    [HEADERS.signature, signature],
    [HEADERS.attempt, String(number)],
    [HEADERS.deliveryId, deliveryId],
    ...prefixed(endpoint.headerPrefix, { id: eventId, timestamp: String(timestamp), signature }),
  ]
}

interface OwnHeaders {
  sent: [name: string, value: string][]
  /** With the values masked. */
  recorded: [name: string, value: string][]
  /** What of them a receiver may answer with. */
  echoes: string[]
}

/** Made once for as long as an endpoint is in memory. */
const known = new WeakMap<OpenEndpoint, OwnHeaders>()

function ownHeaders(endpoint: OpenEndpoint): OwnHeaders {
  let own = known.get(endpoint)
  if (own === undefined) {
    const sent = Object.entries(endpoint.headers).map(([name, value]): [string, string] => [name, value.reveal()])
    const recorded = sent.map(([name]): [string, string] => [name, MASK])
    own = { sent, recorded, echoes: echoesOf(sent.map(([, value]) => value)) }
    known.set(endpoint, own)
  }
  return own
}

/** Of the signing scheme it has now, those that have not expired; newest first. A scheme it has left signs no more. */
function signingSecrets({ secrets, signing }: OpenEndpoint, now: number): OpenSecret[] | null {
  if (secrets === null) return null
  return secrets.filter(
    ({ kind, expiresAt }) => (signing === 'both' || kind === signing) && (expiresAt === null || expiresAt > now),
  )
}

/** The signature headers again, under the names that a receiver knows from before. */
function prefixed(
  prefix: string | null,
  values: { id: string; timestamp: string; signature: string },
): [string, string][] {
  if (prefix === null) return []
  const names = headerNames(prefix)
  return [
    [names.id, values.id],
    [names.timestamp, values.timestamp],
    [names.signature, values.signature],
  ]
}

function notSent(startedAt: number, detail: string): AttemptResult {
  return { startedAt, outcome: { kind: 'not_sent', fault: 'no_resources', detail }, requestHeaders: [] }
}
