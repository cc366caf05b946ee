import type { AttemptOutcomeName } from '@runbell/sdk/contract'

/** Milliseconds each phase of an attempt took; `null` where it did not happen (a kept-alive connection has no `connect`). */
export interface Phases {
  dns: number | null
  connect: number | null
  tls: number | null
  /** From the last byte sent to the response's headers. */
  wait: number | null
}

/** Response headers arrived before the deadline: the status decides, whatever the body does (guarantee G11). */
export interface ResponseOutcome {
  kind: 'response'
  status: number
  /** Lower-case names; at most 16 KiB in all. */
  headers: Record<string, string>
  /** At most the first 16 KiB of the body, as bytes. */
  excerpt: Uint8Array
  /** The body was longer than the excerpt, or did not end before the deadline. */
  truncated: boolean
  phases: Phases
  durationMs: number
}

/** No usable response. */
export interface FailureOutcome {
  kind: 'failure'
  outcome: Exclude<AttemptOutcomeName, 'delivered' | 'http_error' | 'redirect' | 'unknown'>
  /** For the operator's log only: may name addresses. */
  detail: string
  phases: Phases
  durationMs: number
}

/** Our own fault, before anything was sent: uses up no attempt (guarantee G13). */
export interface NotSentOutcome {
  kind: 'not_sent'
  fault: 'no_resolver' | 'no_resources' | 'proxy_down' | 'stopping'
  detail: string
}

/** What one attempt came to: a value, never an exception. */
export type AttemptOutcome = ResponseOutcome | FailureOutcome | NotSentOutcome

/** One HTTP request to send. */
export interface AttemptRequest {
  /** Canonical `http:` or `https:` URL. */
  url: string
  /** In the order to send them; without `host`, `content-length`, `connection`. */
  headers: readonly (readonly [name: string, value: string])[]
  body: Uint8Array
  /** One deadline for DNS, connect, TLS, send, headers and body together (guarantee G12). 1,000 to 60,000. */
  timeoutMs: number
}

/** The one door out. Never rejects. */
export interface Transport {
  send(request: AttemptRequest): Promise<AttemptOutcome>
  /** Ends idle connections; what is in flight goes on until its deadline. */
  close(): Promise<void>
}
