import type { Logger } from 'pino'
import type { Acceptor } from '../accept/acceptor.ts'
import type { ApprovalWaits } from './approvals/approval-waits.ts'
import type { ViewLog } from '../audit/view-log.ts'
import type { Catalogs } from '../catalog/catalogs.ts'
import type { AttemptOutcome } from '../core/attempt-outcome.ts'
import type { AuditEntry } from '../core/audit/audit-entry.ts'
import type { Clock, RandomSource } from '../core/clock.ts'
import type { RetrySchedule } from '../core/schedule.ts'
import type { Rotated } from '../secrets/rotate.ts'
import type { Diagnostics } from '../diagnostics/diagnostics.ts'
import type { Vault } from '../secrets/vault.ts'
import type { EndpointRow } from '../store/rows.ts'
import type { Store } from '../store/store.ts'

/** What the API works with; put together in `runbell.ts`. */
export interface ApiContext {
  store: Store
  acceptor: Acceptor
  diagnostics: Diagnostics
  /** Requests that wait for approvals to be decided. */
  approvalWaits: Pick<ApprovalWaits, 'wait' | 'poke' | 'stop'>
  /** The event types of both modes. */
  catalogs: Catalogs
  /** Who looks at payloads. */
  views: ViewLog
  clock: Clock
  random: RandomSource
  log: Logger
  limits: ApiLimits
  defaults: EndpointDefaults
  secrets: ServerSecrets
  urls: UrlPolicy
  /** Seals what must not be readable in the database. */
  vault: Pick<Vault, 'sealSecret' | 'sealHeaders'>
  /** Wraps every data key with the master key that is configured first now. @throws Refused */
  rotateMasterKey(audit: readonly AuditEntry[]): Promise<Rotated>
  /** Where this server is reached from outside, without a slash at its end: the base of what bodies point to. */
  publicUrl: string
  /** Something changed that delivery should look at now; shortens the wait, never decides correctness. */
  wake(change: { endpointIds?: Iterable<string>; configVersion?: number }): void
  /** What is known of an endpoint in memory of this node. */
  stateOf(endpointId: string): LaneState
  /**
   * Sends to an endpoint once, signed, through the one door out, and puts nothing on record. `null`: the endpoint is gone, or has no
   * URL. `busy`: too much of this kind is under way. @throws StoreUnavailable
   */
  sendOnce(input: SendOnce): Promise<SentOnce | 'busy' | null>
  relays: RelayPort
  /** The signed headers of each, as a delivery over HTTP has them; `null`: they cannot be signed now. @throws StoreUnavailable */
  signAll(
    endpoint: EndpointRow,
    deliveries: readonly { eventId: string; deliveryId: string; number: number; body: Uint8Array }[],
  ): Promise<[name: string, value: string][][] | null>
  /** How much space the disk has left: `low` takes nothing new, `full` sends nothing either. */
  storage(): 'ok' | 'low' | 'full'
  /** `null`: ready. Otherwise why not, for `/readyz`. */
  unready(): string | null
  version: string
}

/** See `delivery/relay.ts`. */
export interface RelayPort {
  /** Listens for an endpoint; returns what to call when nobody does any more. `null`: this server delivers nothing. */
  attach(endpointId: string, listener: RelayListener): (() => void) | null
  /** `false`: there is no such attempt, or it has ended. */
  settle(endpointId: string, attemptId: string, outcome: Exclude<AttemptOutcome, { kind: 'not_sent' }>): boolean
}

export interface RelayListener {
  /** `false`: too much waits already. */
  take(attempt: RelayedAttempt): boolean
  end(reason: 'replaced' | 'endpoint_gone'): void
}

export interface RelayedAttempt {
  attemptId: string
  deliveryId: string
  number: number
  headers: [name: string, value: string][]
  body: Uint8Array
  timeoutMs: number
}

export interface SendOnce {
  endpointId: string
  eventId: string
  deliveryId: string
  body: Uint8Array
}

export interface SentOnce {
  /** Service time in milliseconds. */
  startedAt: number
  outcome: AttemptOutcome
  /** As sent, with the values of custom headers masked. */
  requestHeaders: [string, string][]
}

/** See `delivery/lane.ts`: the API and delivery do not know each other. */
export interface LaneState {
  circuit: 'closed' | 'open' | 'half_open'
  inFlight: number
  limit: number
  isSlow: boolean
}

export interface ApiLimits {
  /** Bytes of one published event's request. @default 262144, at most 1 MiB */
  eventBytes: number
  /** Bytes of a batch request. @default 5 MiB */
  batchBytes: number
  /** Events in a batch. @default 1000 */
  batchEvents: number
  /** Above this many bytes an event is accepted with the warning `large_body`. @default 20480 */
  warnBytes: number
  /** Bytes of any other request's body. @default 65536 */
  requestBytes: number
  endpointsPerTenant: number
}

export interface EndpointDefaults {
  retrySchedule: RetrySchedule
  timeoutMs: number
  maxInFlight: number
}

/** Keys that live in the database and never leave the server. */
export interface ServerSecrets {
  /** For fingerprints of published bytes (details 4). */
  fingerprint: Uint8Array
  /** For cursors. */
  cursor: Uint8Array
}

/** Which URLs may become endpoints. */
export interface UrlPolicy {
  /** The canonical URL, or a sentence on why it may not be an endpoint. */
  check(url: string): { ok: true; url: string } | { ok: false; reason: string; fix: string }
}
