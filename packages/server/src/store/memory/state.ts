import type {
  ApprovalState,
  AttemptOutcomeName,
  AttemptTrigger,
  DeliveryReason,
  DeliveryStatus,
  Mode,
  Warning,
} from '@runbell/sdk/contract'
import { auditContent, tookEffect, type AuditEntry } from '../../core/audit/audit-entry.ts'
import type { ChildPhase, RunState } from '../../core/catalog/lifecycle-fact.ts'
import type { RunProgress } from '../../core/runs/run-progress.ts'
import { ALWAYS_GRANTED, maskOf, type ClassMask } from '../../core/data-classes.ts'
import type { Audited, AuditRow } from '../audit.ts'
import type { ApiKeyRow, AttemptRow, ClaimRef, EndpointRow, EventTypeRow, PayloadGone, TenantRow } from '../rows.ts'
import type { Notice } from '../notices.ts'
import type { Store } from '../store.ts'
import { copy } from './copy.ts'

export type StoreVerb = Exclude<keyof Store, 'close'>

/**
 * Where a simulation takes hold of a verb. Both are awaited, so either can delay, interleave, never answer, or throw:
 * `before` throws when nothing was done, `after` when it was done and the answer got lost.
 */
export interface StoreHooks {
  before?(verb: StoreVerb): Promise<void> | void
  after?(verb: StoreVerb): Promise<void> | void
}

export interface MemoryStoreOptions {
  /** Milliseconds from an arbitrary start, never going back: leases are measured by it. */
  clock: () => number
  hooks?: StoreHooks
}

/** One life of a node, from joining to leaving or losing its lease. Claims belong to a life, not to an id. */
export interface NodeLife {
  nodeId: string
  leaseUntil: number
  /** It said goodbye: what it still held was not cut off by a crash. */
  left: boolean
  /** Somebody has begun to rescue its claims, so it cannot come back. */
  lost: boolean
  /** Whether it crashed with a single delivery in flight; known from the first rescue on. */
  aloneAtDeath: boolean | null
}

export interface EventState {
  position: number
  tenantId: string
  mode: Mode
  eventId: string
  type: string
  runId: string | null
  sequence: number | null
  recordedAt: number
  deadline: number | null
  fingerprint: Uint8Array
  schemaVersion: number
  body: Uint8Array
  bodySha256: Uint8Array
  classes: ClassMask
  payloadGone: PayloadGone | null
  warnings: Warning[]
  /** Deliveries made at acceptance: part of the answer that a duplicate gets. */
  deliveriesAtAcceptance: number
  deliveries: DeliveryState[]
}

export interface DeliveryState {
  position: number
  id: string
  event: EventState
  endpointId: string
  /** Its own body; `null`: the uncut one. */
  body: Uint8Array | null
  /** Of a body that was erased. */
  erasedSha256: Uint8Array | null
  classes: ClassMask
  /** It asks for an approval, and somebody is told if it ends otherwise than delivered. */
  watch: 'no' | 'yes' | 'announced'
  status: DeliveryStatus
  reason: DeliveryReason | null
  /** The attempt in flight included. */
  attemptCount: number
  /** `null` while in flight and after the end. */
  dueAt: number | null
  /** The run in whose lane it is; `null`: it takes no turns, or none any more. */
  lane: string | null
  waitsForTurn: boolean
  cycleStart: number
  /** How often it was reopened. */
  replays: number
  nextTrigger: AttemptTrigger
  holder: NodeLife | null
  suspect: boolean
  crashesAlone: number
  createdAt: number
  updatedAt: number
  discardedAt: number | null
  note: string | null
  /** Of the latest attempt, once attempts have been removed. */
  prunedOutcome: AttemptOutcomeName | null
  /** Oldest first; the one in flight is the last and has no outcome. */
  attempts: AttemptState[]
}

export interface AttemptState extends AttemptRow {
  nodeId: string
}

/** What one tenant has in one mode. */
export interface Partition {
  events: Map<string, EventState>
  idempotencyKeys: Map<string, EventState>
  runs: Map<string, RunRecord>
}

/** What is remembered of a run. */
export interface RunRecord {
  position: number
  sequence: number
  state: RunState
  progress: RunProgress
  agentId: string
  taskId: string | null
  lifecycleWarnings: number
  createdAt: number
  updatedAt: number
  /** By kind and id. */
  children: Map<string, ChildPhase>
  approvals: Map<string, ApprovalRecord>
}

/** What is remembered of an approval of a run. */
export interface ApprovalRecord {
  position: number
  status: ApprovalState
  decideBy: number | null
  /** `sequence` of the request, and of the end. */
  requestedAt: number | null
  endedBy: number | null
  createdAt: number
  endedAt: number | null
  endedHere: boolean
}

export interface EndpointState {
  row: EndpointRow
  deletedAt: number | null
  /** Of kind `relay`: when somebody was last known to listen. */
  listenedAt: number | null
}

export interface KeyState {
  row: ApiKeyRow
  revokedAt: number | null
}

export interface AuditState extends Omit<AuditEntry, 'detail' | 'requestId'>, AuditRow {}

/** The data, and the one way in which every verb touches it. */
export class MemoryState {
  protected readonly clock: () => number
  protected readonly hooks: StoreHooks
  /** By tenant and mode. */
  protected readonly partitions = new Map<string, Partition>()
  /** By position, so in commit order. */
  protected readonly events = new Map<number, EventState>()
  protected readonly deliveries = new Map<number, DeliveryState>()
  protected readonly deliveriesById = new Map<string, DeliveryState>()
  /** Those that wait or are in flight, by endpoint: nobody looks through the whole history to find work. */
  protected readonly open = new Map<string, Set<DeliveryState>>()
  protected readonly lanes = new Map<string, Set<DeliveryState>>()
  protected readonly endpoints = new Map<string, EndpointState>()
  protected readonly keys = new Map<string, KeyState>()
  protected readonly serverSecrets = new Map<string, Uint8Array>()
  /** By mode and name. */
  protected readonly eventTypes = new Map<string, EventTypeRow>()
  /** In commit order. */
  protected audit: AuditState[] = []
  /** By position. */
  protected readonly notices = new Map<number, Notice>()
  /** By mode and id. */
  protected readonly tenants = new Map<string, TenantRow>()
  /** The latest life of each node. */
  protected readonly nodes = new Map<string, NodeLife>()
  protected configVersion = 1
  protected highWater = 0
  #position = 0

  constructor(options: MemoryStoreOptions) {
    this.clock = options.clock
    this.hooks = options.hooks ?? {}
  }

  /** Runs a verb: everything it changes, it changes in one synchronous step between arrival and departure. */
  protected async verb<Input, Output>(name: StoreVerb, input: Input, step: (input: Input) => Output): Promise<Output> {
    const own = copy(input)
    await this.hooks.before?.(name)
    const output = copy(step(own))
    const { audit } = (own ?? {}) as Audited
    if (audit !== undefined && tookEffect(output)) for (const entry of audit) this.putOnRecord(entry)
    await this.hooks.after?.(name)
    return output
  }

  protected putOnRecord(entry: AuditEntry): void {
    const { mode, tenantId, at, actor, action, target } = entry
    const content = auditContent(entry)
    this.audit.push({ position: this.nextPosition(), mode, tenantId, at, actor, action, target, content, seal: null })
  }

  /** Whether an endpoint that gets events names service events, for the tenant of this endpoint. */
  protected isWatched({ tenantId, mode }: EndpointRow): boolean {
    return [...this.endpoints.values()].some(
      ({ row, deletedAt }) =>
        row.mode === mode &&
        (row.tenantId === tenantId || row.tenantId === '*') &&
        deletedAt === null &&
        row.status !== 'disabled' &&
        row.eventTypes.some((glob) => glob.startsWith('runbell.')),
    )
  }

  /** Puts on the list what is to be said of an endpoint. */
  protected note(endpoint: EndpointRow, notice: Omit<Notice, 'position' | 'mode' | 'tenantId' | 'endpointId'>): void {
    if (!this.isWatched(endpoint)) return
    const { tenantId, mode, id: endpointId } = endpoint
    const position = this.nextPosition()
    this.notices.set(position, { position, mode, tenantId, endpointId, ...notice })
  }

  /** One counter for everything, so that no position can be taken for that of something else. */
  protected nextPosition(): number {
    this.#position += 1
    return this.#position
  }

  protected raiseConfigVersion(): number {
    this.configVersion += 1
    return this.configVersion
  }

  protected partition(tenantId: string, mode: Mode): Partition {
    const key = JSON.stringify([tenantId, mode])
    let partition = this.partitions.get(key)
    if (partition === undefined) {
      partition = { events: new Map(), idempotencyKeys: new Map(), runs: new Map() }
      this.partitions.set(key, partition)
    }
    return partition
  }

  protected endpointOf(delivery: DeliveryState): EndpointState {
    const endpoint = this.endpoints.get(delivery.endpointId)
    if (endpoint === undefined) throw new Error(`endpoint ${delivery.endpointId} has deliveries but is missing`)
    return endpoint
  }

  /** Whether it waits to be fetched: its `dueAt` is then its place in the line. */
  protected isPulled({ endpointId }: Pick<DeliveryState, 'endpointId'>): boolean {
    return this.endpoints.get(endpointId)?.row.kind === 'pull'
  }

  /** Whether the endpoint may still receive what this delivery would send. */
  protected isGranted(delivery: DeliveryState): boolean {
    const { dataClasses } = this.endpointOf(delivery).row
    return (delivery.classes & ~(maskOf(dataClasses) | ALWAYS_GRANTED)) === 0
  }

  protected openOf(endpointId: string): DeliveryState[] {
    return [...(this.open.get(endpointId) ?? [])]
  }

  protected allOpen(): DeliveryState[] {
    return [...this.open.values()].flatMap((set) => [...set])
  }

  /** To be called whenever a delivery has changed: it stays findable while there is something left to do. */
  protected index(delivery: DeliveryState): void {
    const set = this.open.get(delivery.endpointId) ?? new Set()
    this.open.set(delivery.endpointId, set)
    if (delivery.status === 'pending' || delivery.holder !== null) set.add(delivery)
    else {
      set.delete(delivery)
      if (delivery.lane !== null && !this.holdsLane(delivery)) this.leaveLane(delivery)
    }
  }

  /** A dead letter holds what waits behind it, where its endpoint wants that. */
  protected holdsLane({ endpointId, status, discardedAt }: DeliveryState): boolean {
    const row = this.endpoints.get(endpointId)?.row
    const holds = row?.ordering === 'run' && row.orderingOnDeadLetter === 'hold'
    return holds && status === 'dead_lettered' && discardedAt === null
  }

  /** The first in a lane is due; whoever comes after it waits for its turn. */
  protected enterLane(delivery: DeliveryState): void {
    const { event, endpointId } = delivery
    if (event.runId === null || this.endpointOf(delivery).row.ordering !== 'run' || delivery.lane !== null) return
    delivery.lane = JSON.stringify([endpointId, event.tenantId, event.runId])
    const lane = this.lanes.get(delivery.lane) ?? new Set()
    this.lanes.set(delivery.lane, lane)
    // One that is still in flight has no turn to wait for.
    delivery.waitsForTurn = lane.size > 0 && delivery.holder === null
    lane.add(delivery)
  }

  /** The end of the head gives the turn to the lowest that waits for one. */
  protected leaveLane(delivery: DeliveryState): void {
    const lane = this.lanes.get(delivery.lane ?? '')
    const wasHead = !delivery.waitsForTurn
    delivery.lane = null
    delivery.waitsForTurn = false
    lane?.delete(delivery)
    const [next] = [...(lane ?? [])].toSorted((a, b) => a.position - b.position)
    if (!wasHead || next?.waitsForTurn !== true) return
    next.waitsForTurn = false
    next.dueAt = delivery.updatedAt
  }

  /** Whether this delivery is waiting to be claimed, now or later. */
  protected isWaiting(delivery: DeliveryState): boolean {
    return delivery.status === 'pending' && delivery.holder === null
  }

  /** Ends a delivery; an attempt in flight stays its holder's to record. */
  protected end(
    delivery: DeliveryState,
    status: Exclude<DeliveryStatus, 'pending'>,
    reason: DeliveryReason | null,
    now: number,
  ): void {
    delivery.status = status
    delivery.reason = reason
    delivery.dueAt = null
    delivery.updatedAt = now
    this.index(delivery)
  }

  protected refOf(delivery: DeliveryState): ClaimRef {
    return { position: delivery.position, number: delivery.attemptCount }
  }
}
