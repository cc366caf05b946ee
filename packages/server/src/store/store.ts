import type {
  AttemptsOf,
  AttemptRecord,
  AttemptRow,
  ApiKeyRow,
  Claim,
  ClaimRef,
  CursorPage,
  DeliveryFilter,
  DeliveryRow,
  EndpointChange,
  EndpointRow,
  EventFilter,
  EventRow,
  EventTypeRow,
  MatchSet,
  PageRequest,
  PublicKeyRow,
  ReadScope,
  RecordResult,
  ReplayResult,
  Rescued,
  GivenBody,
  TenantLimits,
  TenantRow,
  Unannounced,
} from './rows.ts'
import type { AcceptBatch, AcceptResult } from './accept.ts'
import type { ApprovalVerbs } from './approvals.ts'
import type { NoticeVerbs } from './notices.ts'
import type { Audited, AuditVerbs } from './audit.ts'
import type { BulkReplayVerbs } from './bulk-replays.ts'
import type { DataKeyVerbs } from './data-keys.ts'
import type { PullVerbs } from './pulls.ts'
import type { RelayVerbs } from './relays.ts'
import type { RetentionVerbs } from './retention.ts'
import type { RunVerbs } from './runs.ts'
import type { SurveyVerbs } from './surveys.ts'
import type { DataClass, Mode } from '@runbell/sdk/contract'

/**
 * What the rest of Runbell may ask of a database: verbs, each one transaction, all or nothing. When a promise
 * resolves, the change is durable. A promise that rejects means that it is unknown whether the change happened;
 * every verb that changes something is safe to repeat. What a verb is given as `audit` is put on record in its transaction, if
 * it changed anything.
 *
 * Times are service time in milliseconds unless a name says otherwise. Leases are measured by the store's own clock.
 * The store never decides a policy: where a rule is needed inside a transaction it calls a pure function of `core`.
 */
export interface Store
  extends
    ApprovalVerbs,
    AuditVerbs,
    BulkReplayVerbs,
    DataKeyVerbs,
    NoticeVerbs,
    PullVerbs,
    RelayVerbs,
    RetentionVerbs,
    RunVerbs,
    SurveyVerbs {
  // ——— nodes ———
  /** Announces a node, whose claims stay its own for `leaseMs` after each heartbeat. */
  joinNode(input: { nodeId: string; leaseMs: number }): Promise<NodeState>
  /**
   * Renews the lease and persists the service clock's high-water mark.
   * `alive: false`: the lease was lost, and the node's claims may already be somebody else's.
   */
  heartbeat(input: { nodeId: string; leaseMs: number; highWater: number }): Promise<NodeState>
  /** Takes the node out; its remaining claims are then up for rescue. */
  leaveNode(input: { nodeId: string; highWater: number }): Promise<void>

  // ——— acceptance ———
  /**
   * Accepts what can be accepted; a refused item is left out and the others go on (guarantees G1, G3, G5). For each item
   * in turn: idempotency, then `stale`, then lifecycle and budget of its run, then the inserts (details 1).
   */
  acceptEvents(batch: AcceptBatch): Promise<AcceptResult[]>

  // ——— delivery ———
  /**
   * Endpoints that have pending, unclaimed deliveries and may send, with the time the first of them is due; those of kind `pull` are
   * left out, and suspects only reported. Pages: `after` is the last endpoint of the page before.
   */
  findDueEndpoints(input: {
    after: string | null
    limit: number
  }): Promise<{ due: { endpointId: string; nextDue: number }[]; suspects: boolean }>
  /**
   * Claims due deliveries, oldest due first, and records their attempt as started (guarantee G8).
   * Deliveries past their deadline end `expired` instead. At most `limit` for each endpoint asked for. Never suspects.
   */
  claimDue(input: {
    nodeId: string
    now: number
    requests: { endpointId: string; limit: number }[]
  }): Promise<{ claims: Claim[]; nextDue: { endpointId: string; nextDue: number | null }[]; configVersion: number }>
  /**
   * Claims one due suspect, those that were alone at most crashes first: it was in flight when a node died and has had
   * no outcome since (details 3). Past its deadline it ends `expired` and the next one is looked for.
   */
  claimSuspect(input: { nodeId: string; now: number }): Promise<{ claim: Claim | null; configVersion: number }>
  /** Records outcomes and what follows from them, fenced: a claim that is no longer the node's changes nothing. */
  recordAttempts(input: {
    nodeId: string
    now: number
    records: AttemptRecord[]
  }): Promise<{ results: RecordResult[]; configVersion: number }>
  /** Gives claims back whose attempt never started: they use up no attempt. */
  releaseClaims(input: { nodeId: string; now: number; claims: (ClaimRef & { dueAt: number })[] }): Promise<void>
  /**
   * What the node holds on record. After a verb that rejected it may hold claims it does not know of; it releases those,
   * which never started.
   */
  findClaims(input: { nodeId: string; limit: number }): Promise<ClaimRef[]>
  /** Takes over what dead nodes held, at most `limit` deliveries of one node a call. */
  rescueClaims(input: { nodeId: string; now: number; limit: number }): Promise<Rescued>
  /** Ends pending deliveries whose deadline has passed. Returns how many. */
  expireDeliveries(input: { now: number; limit: number }): Promise<number>
  /**
   * Ends pending deliveries of deleted endpoints, of endpoints disabled before `disabledBefore`, and those with a body that
   * their endpoint may no longer receive, as `cancelled`. Returns how many.
   */
  cancelHeld(input: { now: number; disabledBefore: number; limit: number }): Promise<number>
  /** Requests for approval that did not reach an endpoint and of which nobody has been told, oldest delivery first. */
  findUnannounced(input: { limit: number }): Promise<Unannounced[]>

  /** How many deliveries of a tenant wait to be sent, those in flight left out; counts no further than `limit`. */
  countPending(input: { mode: Mode; tenantId: string; limit: number }): Promise<number>

  // ——— reading ———
  /** At most two events: two only if two tenants of the scope have one with this id. */
  findEvents(input: { scope: ReadScope; eventId: string }): Promise<EventRow[]>
  /** Newest first. */
  listEvents(input: { scope: ReadScope; filter: EventFilter; page: PageRequest }): Promise<CursorPage<EventRow>>
  /** The exact bytes of a body; `null` where there is none. Without an endpoint: the uncut body. */
  readBody(input: { eventPosition: number; endpointId: string | null }): Promise<Uint8Array | null>
  findDelivery(input: { scope: ReadScope; deliveryId: string }): Promise<DeliveryRow | null>
  /** Newest first. */
  listDeliveries(input: {
    scope: ReadScope
    filter: DeliveryFilter
    page: PageRequest
  }): Promise<CursorPage<DeliveryRow>>
  /** All attempts of a delivery, oldest first, the one in flight included. */
  listAttempts(input: { scope: ReadScope; deliveryId: string }): Promise<AttemptsOf | null>

  /**
   * Erases the payload of an event for good: its body, every cut body, and what receivers answered. What is pending ends
   * `cancelled` (`erased`); an attempt in flight may end, and what its receiver answers is not kept. Ids, type, times, hashes and
   * outcomes stay, and so does the id: nobody can publish under it again. `null`: there is no such event, or it was erased before.
   */
  eraseEvent(input: { eventPosition: number; now: number } & Audited): Promise<{ endpointIds: string[] } | null>

  // ——— deliveries on request ———
  /**
   * Reopens deliveries of one event, or one delivery (details 21), each only if its endpoint may still receive its body.
   * With an endpoint that has none yet, makes one with the body given for it.
   */
  replayDeliveries(
    input: {
      eventPosition: number
      target:
        | { kind: 'all' }
        | { kind: 'delivery'; deliveryId: string }
        /**
         * `body`: what it gets if it has no delivery of the event yet, rendered as of `configVersion`; without one, or with
         * `bytes: null`, the uncut body.
         */
        | { kind: 'endpoint'; endpointId: string; body?: GivenBody; configVersion?: number }
      newDeliveryId: string
      now: number
    } & Audited,
  ): Promise<ReplayResult>
  /** Ends a pending delivery as `cancelled` (`requested`). `null`: it is not pending. */
  cancelDelivery(input: { scope: ReadScope; deliveryId: string; now: number } & Audited): Promise<DeliveryRow | null>
  /** Takes a dead letter off the list, with a note. `null`: it is not on the list. */
  discardDeadLetter(
    input: {
      scope: ReadScope
      deliveryId: string
      note: string | null
      now: number
    } & Audited,
  ): Promise<DeliveryRow | null>

  // ——— endpoints ———
  /**
   * `null`: the tenant has `maxPerTenant` endpoints already. `too_much`: its grants exceed the tenant's `max_data_classes`.
   */
  createEndpoint(
    input: {
      endpoint: EndpointRow
      maxPerTenant: number
    } & Audited,
  ): Promise<{ kind: 'created' | 'too_much'; configVersion: number } | null>
  findEndpoint(input: { scope: ReadScope; endpointId: string }): Promise<EndpointRow | null>
  /** Newest first. */
  listEndpoints(input: { scope: ReadScope; page: PageRequest }): Promise<CursorPage<EndpointRow>>
  /**
   * Applies one change; `null`: there is no such endpoint, or the change does not fit (see `EndpointChange`). With fewer
   * `dataClasses` it ends pending deliveries that would now send too much, at most 1,000 at once; none of the others is
   * ever claimed, and `cancelHeld` ends them.
   */
  changeEndpoint(
    input: {
      scope: ReadScope
      endpointId: string
      change: EndpointChange
      now: number
    } & Audited,
  ): Promise<{ endpoint: EndpointRow; configVersion: number } | null>
  /** The endpoints an event of this tenant and mode may match, those of tenant `*` included. */
  loadMatchSet(input: { tenantId: string; mode: EndpointRow['mode'] }): Promise<MatchSet>
  /** Endpoints with their secrets, for delivery; deleted ones are left out. */
  loadEndpoints(input: { endpointIds: string[] }): Promise<{ endpoints: EndpointRow[]; configVersion: number }>

  /**
   * How deliveries to an endpoint went of late: attempts of its latest `deliveries` that started at `since` or after, in no order, and
   * what waits, counted no further than `pendingLimit`.
   */
  readActivity(input: { endpointId: string; since: number; deliveries: number; pendingLimit: number }): Promise<{
    pending: number
    oldestPendingAt: number | null
    attempts: Pick<AttemptRow, 'outcome' | 'durationMs'>[]
  }>

  // ——— catalog and tenants ———
  /** Every type of the mode that has a row. */
  loadEventTypes(input: { mode: Mode }): Promise<{ types: EventTypeRow[]; configVersion: number }>
  /**
   * Keeps a type's definition. `conflict`: its revision is not `expected` (0: there is no row); `full`: there are
   * `maxTypes` already. Repeated after a lost answer it is a conflict whose row has this definition.
   */
  putEventType(
    input: {
      mode: Mode
      type: string
      definition: string
      expected: number
      maxTypes: number
      now: number
    } & Audited,
  ): Promise<{ kind: 'kept'; revision: number; configVersion: number } | { kind: 'conflict' } | { kind: 'full' }>
  /** Newest first. */
  listTenants(input: { scope: ReadScope; page: PageRequest }): Promise<CursorPage<TenantRow>>
  /**
   * Sets what a tenant's endpoints may be granted at most, and takes what is more from those it has, as `changeEndpoint`
   * does.
   */
  putTenant(
    input: {
      mode: Mode
      tenantId: string
      maxDataClasses: DataClass[] | null
      limits: TenantLimits
      /** Whether its approvals are decided through Runbell (details 23). */
      decidesApprovals: boolean
      now: number
    } & Audited,
  ): Promise<{ tenant: TenantRow; configVersion: number }>

  // ——— keys and settings ———
  /** Keeps a key; one that is there already stays as it is (`created: false`). */
  putApiKey(input: { key: ApiKeyRow } & Audited): Promise<{ created: boolean; configVersion: number }>
  findApiKey(input: { keyId: string }): Promise<{ key: ApiKeyRow | null; configVersion: number }>
  listApiKeys(input: { scope: ReadScope; page: PageRequest }): Promise<CursorPage<ApiKeyRow>>
  /** Notes when keys were last used; a time that is older than the one on record changes nothing. */
  touchApiKeys(input: { uses: { keyId: string; at: number }[] }): Promise<void>
  /** `false`: there is no such key. */
  revokeApiKey(input: { scope: ReadScope; keyId: string; now: number } & Audited): Promise<boolean>
  /** The server's own secret of this name; `candidate` is kept if there was none. */
  serverSecret(input: { name: string; candidate: Uint8Array }): Promise<Uint8Array>
  /** Puts another value in the place of a server secret, and leaves no copy of the old one in any file. `false`: it was not `from`. */
  replaceServerSecret(input: { name: string; from: Uint8Array; to: Uint8Array }): Promise<boolean>
  /** Public keys that sign now, newest secret first; of one endpoint, or of all that are not deleted. */
  listPublicKeys(input: { endpointId: string | null; now: number; limit: number }): Promise<PublicKeyRow[]>

  /** Ends the connection; durable work is finished first. */
  close(): Promise<void>
}

export interface NodeState {
  alive: boolean
  /** Changes with every change of an endpoint, a secret or a key. */
  configVersion: number
  /** The highest service time any node has persisted; 0 on a new database. */
  highWater: number
}

/** Thrown by a store that cannot be reached or cannot write now; the caller may try again later. */
export class StoreUnavailable extends Error {
  readonly code: 'unavailable' | 'storage_full'

  constructor(code: 'unavailable' | 'storage_full', message: string) {
    super(message)
    this.name = 'StoreUnavailable'
    this.code = code
  }
}
