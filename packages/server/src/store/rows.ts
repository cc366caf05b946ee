import type {
  AttemptOutcomeName,
  AttemptTrigger,
  DataClass,
  DeliveryCounts,
  DeliveryReason,
  DeliveryStatus,
  EndpointKind,
  EndpointStatus,
  Mode,
  Scope,
  SigningScheme,
} from '@runbell/sdk/contract'
import type { Phases } from '../core/attempt-outcome.ts'
import type { ClassMask } from '../core/data-classes.ts'
import type { Verdict } from '../core/verdict.ts'

/** What a reader may see: one mode, and one tenant or (`null`) all of them. */
export interface ReadScope {
  mode: Mode
  tenantId: string | null
}

export interface PageRequest {
  /** 1 to 1,000. */
  limit: number
  /** Where the previous page ended; `null` for the first. */
  after: number | null
}

export interface CursorPage<Row> {
  rows: Row[]
  /** Where the next page starts; `null` on the last one. */
  next: number | null
}

export interface EventFilter {
  /** Type globs; empty: every type, `runbell.*` included. */
  types: string[]
  runId: string | null
  /** Recorded at or after. */
  since: number | null
  /** Recorded before. */
  until: number | null
}

export interface EventRow {
  /** Commit order. */
  position: number
  tenantId: string
  mode: Mode
  eventId: string
  type: string
  runId: string | null
  sequence: number | null
  recordedAt: number
  schemaVersion: number
  bodySha256: Uint8Array
  /** The uncut body in format `runbell`. */
  body: Uint8Array
  /** The data classes of the values in it, as far as its schema knows them. */
  classes: ClassMask
  /** Its payload was taken away; the body is empty then. `null`: it is there. */
  payloadGone: PayloadGone | null
  deliveries: DeliveryCounts
}

/** When the payload of an event was taken away, and whether somebody asked for that or it was older than is kept. */
export interface PayloadGone {
  at: number
  by: 'erasure' | 'retention'
}

export interface DeliveryFilter {
  eventPosition: number | null
  statuses: DeliveryStatus[]
  endpointId: string | null
  runId: string | null
  types: string[]
  errorCode: AttemptOutcomeName | null
  since: number | null
  until: number | null
  /** Only dead letters nobody has discarded. */
  deadLetters: boolean
}

export interface DeliveryRow {
  position: number
  id: string
  eventPosition: number
  eventId: string
  eventType: string
  runId: string | null
  endpointId: string
  tenantId: string
  mode: Mode
  status: DeliveryStatus
  reason: DeliveryReason | null
  attemptCount: number
  /** When the next attempt is due; `null` while one is in flight, while it waits for its turn, and when it has ended. */
  nextAttemptAt: number | null
  /** At an ordered endpoint: the delivery that is first in its run, while it waits for its turn. */
  waitsBehind: string | null
  bodySha256: Uint8Array
  /** The data classes of the values in its body. */
  classes: ClassMask
  /** Outcome of the latest attempt that has one. */
  lastOutcome: AttemptOutcomeName | null
  createdAt: number
  updatedAt: number
  discardedAt: number | null
  note: string | null
}

/** A delivery that a node holds, with its attempt on record. */
export interface ClaimRef {
  position: number
  /** Attempt number; together with the node it fences the claim. */
  number: number
}

export interface Claim extends ClaimRef {
  deliveryId: string
  endpointId: string
  tenantId: string
  mode: Mode
  eventId: string
  eventType: string
  runId: string | null
  trigger: AttemptTrigger
  /** Number of the first attempt of this cycle. */
  cycleStart: number
  deadline: number | null
  body: Uint8Array
  /** The data classes of the values in the body. */
  classes: ClassMask
  /** It was in flight when a node died, and has had no outcome since: it runs in the suspects' lane (details 3). */
  suspect: boolean
  crashesAlone: number
}

export interface AttemptRecord extends ClaimRef {
  startedAt: number
  durationMs: number
  trigger: AttemptTrigger
  outcome: AttemptOutcomeName
  statusCode: number | null
  /** Custom header values masked. */
  requestHeaders: [string, string][]
  responseHeaders: Record<string, string>
  excerpt: Uint8Array | null
  truncated: boolean
  phases: Phases
  verdict: Verdict
  /** The endpoint's state changes with this outcome, in the same transaction. */
  endpointEffect: EndpointEffect | null
}

export type EndpointEffect =
  /** The first failure after a success. */
  | { kind: 'failing_since'; at: number }
  /** The first success after a failure. */
  | { kind: 'recovered' }
  | { kind: 'disable'; reason: 'gone' | 'failing' }

/** `stale`: the claim was not the node's any more, and nothing was changed. */
export type RecordResult = 'recorded' | 'stale'

export interface Rescued {
  /** Pending again. */
  rescued: { position: number; endpointId: string }[]
  /** Ended instead: quarantined, or their attempts were used up. */
  ended: number
  /** There may be more. */
  more: boolean
}

export interface AttemptRow {
  number: number
  trigger: AttemptTrigger
  startedAt: number
  durationMs: number | null
  /** `null`: in flight. */
  outcome: AttemptOutcomeName | null
  statusCode: number | null
  requestHeaders: [string, string][]
  responseHeaders: Record<string, string>
  excerpt: Uint8Array | null
  truncated: boolean
  phases: Phases
}

export interface AttemptsOf {
  delivery: DeliveryRow
  attempts: AttemptRow[]
}

export interface SecretRow {
  id: string
  kind: 'hmac' | 'ed25519'
  /** `whsec_…` or `whsk_…`, sealed. */
  value: string
  /** `whpk_…` of ed25519. */
  publicKey: string | null
  createdAt: number
  /** It signs until then; `null`: until it is rotated out. */
  expiresAt: number | null
}

export interface PublicKeyRow {
  secretId: string
  /** `whpk_…` */
  publicKey: string
}

export interface EndpointRow {
  /** Order of creation; 0 until the store has given one. */
  position: number
  id: string
  /** `*`: all tenants. */
  tenantId: string
  mode: Mode
  kind: EndpointKind
  url: string | null
  description: string
  eventTypes: string[]
  filter: unknown
  dataClasses: DataClass[]
  schemaVersions: Record<string, number>
  format: 'runbell' | 'thin' | 'cloudevents' | 'mcp_event'
  /** Values are sealed. */
  headers: Record<string, string>
  /** Signature headers carry this prefix too, besides the standard ones; `null`: only those. */
  headerPrefix: string | null
  timeoutMs: number
  maxInFlight: number
  rateLimit: number | null
  ordering: 'none' | 'run'
  /** Of an ordered endpoint: what a dead letter does to what waits behind it in its run. */
  orderingOnDeadLetter: 'skip' | 'hold'
  retrySchedule: number[]
  signing: SigningScheme
  status: EndpointStatus
  disabledReason: string | null
  /** When it was disabled. */
  disabledAt: number | null
  /** Since when every attempt failed; `null`: the latest one succeeded, or there was none. */
  failingSince: number | null
  createdAt: number
  updatedAt: number
  /** Newest first; those that have expired are left out by the reader. */
  secrets: SecretRow[]
}

/** The fields a `PATCH` may change. */
export type EndpointPatch = Partial<
  Pick<
    EndpointRow,
    | 'url'
    | 'description'
    | 'eventTypes'
    | 'filter'
    | 'dataClasses'
    | 'schemaVersions'
    | 'headers'
    | 'headerPrefix'
    | 'timeoutMs'
    | 'maxInFlight'
    | 'rateLimit'
    | 'ordering'
    | 'orderingOnDeadLetter'
    | 'retrySchedule'
    | 'signing'
    | 'secrets'
  >
>

export type EndpointChange =
  | { kind: 'patch'; patch: EndpointPatch }
  /** `enabled` clears `disabledReason` and `failingSince`. */
  | { kind: 'status'; status: EndpointStatus; reason: string | null }
  | { kind: 'delete' }
  /** Every other secret of the same kind expires at `retireAt` at the latest; at most `max` stay active. */
  | { kind: 'add_secret'; secret: SecretRow; retireAt: number; max: number }
  /** Does not fit when it is the last of its kind. */
  | { kind: 'remove_secret'; secretId: string }

/** What matching and rendering need to know of an endpoint. */
export interface MatchEntry {
  endpointId: string
  eventTypes: string[]
  /** As it was sent; `null`: every event of the types. */
  filter: unknown
  ordering: 'none' | 'run'
  format: EndpointRow['format']
  dataClasses: DataClass[]
  schemaVersions: Record<string, number>
}

/** A body for an endpoint that gets an event later; `bytes` is `null` for the uncut body. */
export interface GivenBody {
  bytes: Uint8Array | null
  classes: ClassMask
}

/** A delivery of a request for approval that ended without reaching its endpoint, and nobody has been told of it. */
export interface Unannounced {
  position: number
  deliveryId: string
  endpointId: string
  tenantId: string
  mode: Mode
  eventId: string
  runId: string | null
  status: Exclude<DeliveryStatus, 'pending' | 'delivered'>
  reason: DeliveryReason | null
  attemptCount: number
  /** How often it was replayed: after each time it can end again. */
  replays: number
  /** Outcome of the latest attempt that has one. */
  lastOutcome: AttemptOutcomeName | null
  /** The uncut body of the event. */
  body: Uint8Array
}

/** A type of event with settings or versions of its own; what the definition says, `catalog` knows. */
export interface EventTypeRow {
  mode: Mode
  type: string
  /** Counts its changes, from 1. */
  revision: number
  /** JSON text. */
  definition: string
  createdAt: number
  updatedAt: number
}

/** What a tenant may publish; `null`: as much as any other. */
export interface TenantLimits {
  /** Over time; ten seconds' worth may come at once. */
  eventsPerSecond: number | null
  /** Deliveries that may be pending. */
  maxPending: number | null
}

/** A tenant with limits of its own; one without a row has none. */
export interface TenantRow {
  position: number
  tenantId: string
  mode: Mode
  /** What its endpoints may be granted at most; `null`: anything. */
  maxDataClasses: DataClass[] | null
  limits: TenantLimits
  /** Since when its approvals are decided through Runbell; `null`: they are not. */
  decidesSince: number | null
  createdAt: number
  updatedAt: number
}

/**
 * What came of asking for a replay. `null`: there is no such delivery, or the endpoint cannot receive it. `policy_changed`: the
 * endpoint may no longer receive what would be sent, and nothing was changed. `stale`: endpoints have changed since the
 * body was rendered. `payload_gone`: there is nothing left to send.
 */
export type ReplayResult = ReplayedDelivery[] | 'policy_changed' | 'stale' | 'payload_gone' | null

export interface ReplayedDelivery {
  id: string
  endpointId: string
  /** `cancelled`: among several, one that its endpoint may no longer receive, left as it is. */
  status: DeliveryStatus
}

export interface MatchSet {
  configVersion: number
  limits: TenantLimits
  entries: MatchEntry[]
}

export interface ApiKeyRow {
  position: number
  /** `key_…`. */
  id: string
  mode: Mode
  scopes: Scope[]
  dataClasses: DataClass[]
  tenantId: string | null
  /** SHA-256 of the whole key. */
  hash: Uint8Array
  createdAt: number
  expiresAt: number | null
  lastUsedAt: number | null
}
