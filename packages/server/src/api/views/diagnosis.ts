import type { AttemptOutcomeName, AttemptView } from '@runbell/sdk/contract'

/** What an attempt's end means, in words for the endpoint's owner. */
export interface Diagnosis {
  title: string
  fix: string
}

const BY_OUTCOME: Record<Exclude<AttemptOutcomeName, 'delivered' | 'http_error'>, Diagnosis> = {
  redirect: {
    title: 'The endpoint answered with a redirect, and redirects are never followed',
    fix: 'Set the endpoint to the final URL. A trailing slash or http instead of https is the usual reason.',
  },
  timeout: {
    title: 'No answer arrived before the deadline',
    fix: 'Store the event, answer 2xx at once and do the work afterwards; or raise timeout_ms (up to 60000).',
  },
  dns_failed: {
    title: 'The host name could not be resolved',
    fix: 'Check the spelling of the host and that its DNS record exists where Runbell runs.',
  },
  connect_failed: {
    title: 'No connection could be made',
    fix: 'Check that the receiver is running, listens on this port and that no firewall is in between.',
  },
  tls_failed: {
    title: 'The TLS handshake failed',
    fix: 'Check that the certificate is valid for this host, not expired, and sent with its whole chain.',
  },
  blocked_address: {
    title: 'The host resolves to an address that may not be reached',
    fix: 'Use a public address, or let the operator allow this one with RUNBELL_EGRESS_ALLOW.',
  },
  protocol_error: {
    title: 'The answer was not valid HTTP, or the connection broke before its headers were complete',
    fix: 'Check what answers on this port, and that no proxy cuts the connection or sends very large headers.',
  },
  unknown: {
    title: 'Runbell stopped before the outcome was on record',
    fix: 'Nothing to do: it is tried again. The receiver may see it twice, with the same webhook-id.',
  },
}

const BY_STATUS: Record<string, Diagnosis> = {
  '400': {
    title: 'The receiver found the request wrong',
    fix: 'Look at the response for the reason; often the body was parsed before the signature was verified.',
  },
  '401_403': {
    title: 'The receiver refused the request as not authorised',
    fix: 'Verify the signature over the raw bytes with this endpoint’s secret, and check custom headers it expects.',
  },
  '404': {
    title: 'There is nothing under this URL',
    fix: 'Check the path of the endpoint, and that the receiver’s route is deployed.',
  },
  '405': {
    title: 'The URL does not take POST',
    fix: 'Let the receiver’s route accept POST, or correct the path of the endpoint.',
  },
  '408': {
    title: 'The receiver gave up waiting for the request',
    fix: 'Check proxies in front of the receiver; it is tried again.',
  },
  '409': {
    title: 'The receiver reported a conflict',
    fix: 'If it has seen this webhook-id before, let it answer 2xx: a duplicate is a success.',
  },
  '410': {
    title: 'The receiver wants no more events',
    fix: 'The endpoint was disabled. Enable it when the receiver is back, then replay the delivery.',
  },
  '413': {
    title: 'The body was too large for the receiver',
    fix: 'Raise the body limit of the receiver or its proxy to at least 1 MiB.',
  },
  '415': {
    title: 'The receiver does not take this content type',
    fix: 'Let the receiver accept content-type: application/json.',
  },
  '422': {
    title: 'The receiver understood the event but refused it',
    fix: 'Look at the response for the reason; let the receiver answer 2xx to event types it does not use.',
  },
  '429': {
    title: 'The receiver asked for fewer requests',
    fix: 'Set rate_limit or max_in_flight on the endpoint. Retry-After is honoured.',
  },
  '5xx': {
    title: 'The receiver failed',
    fix: 'Look into the receiver’s log at this time, under the webhook-id; it is tried again.',
  },
  '502_503_504': {
    title: 'A proxy in front of the receiver could not reach it, or it is overloaded',
    fix: 'Check that the receiver is running and fast enough; it is tried again.',
  },
  other: {
    title: 'The receiver answered with a status that is not 2xx',
    fix: 'Let it answer 200 to 299 when it has taken the event.',
  },
}

/** Every diagnosis there is, by the name its page has. */
export const DIAGNOSES: Readonly<Record<string, Diagnosis>> = {
  ...BY_OUTCOME,
  ...Object.fromEntries(Object.entries(BY_STATUS).map(([name, diagnosis]) => [`http_${name}`, diagnosis])),
}

function statusName(status: number): string {
  if (status === 401 || status === 403) return '401_403'
  if (status === 502 || status === 503 || status === 504) return '502_503_504'
  if (Object.hasOwn(BY_STATUS, String(status))) return String(status)
  return status >= 500 && status <= 599 ? '5xx' : 'other'
}

/** What to say about an attempt; `null` while it is in flight and when it delivered. */
export function diagnose(outcome: AttemptOutcomeName | null, status: number | null): AttemptView['diagnosis'] {
  if (outcome === null || outcome === 'delivered') return null
  const name = outcome === 'http_error' ? `http_${statusName(status ?? 0)}` : outcome
  const { title, fix } = DIAGNOSES[name] as Diagnosis
  return { title: status === null ? title : `${title} (status ${status})`, fix, url: `/diagnoses/${name}` }
}
