import type { Clock, RandomSource } from '../core/clock.ts'
import type { Warning } from '@runbell/sdk/contract'
import type { AuditEntry } from '../core/audit/audit-entry.ts'
import type { CheckedEvent } from '../core/checked-event.ts'
import type { BodySource } from '../core/event-bodies.ts'
import { newId } from '../core/new-id.ts'
import type { AcceptItem, AcceptResult, AnnouncedEnd } from '../store/accept.ts'
import type { Claim } from '../store/rows.ts'
import { StoreUnavailable, type Store } from '../store/store.ts'
import { bodyAt } from '../store/body.ts'
import { targetsOf } from './distinct-bodies.ts'
import { createEntrance, isLimited } from './entrance.ts'
import { GroupQueue } from './group-queue.ts'
import { createMatcher, passing, type Match } from './matcher.ts'
import type { SlotSource } from './slot-source.ts'
import type { Limited, RateState, TenantGate } from './tenant-gate.ts'

/** How an event was taken. Conflicts, duplicates and refusals are values; a store that cannot answer rejects. */
export type Acceptance =
  | {
      kind: 'accepted' | 'duplicate'
      eventId: string
      sequence: number | null
      deliveries: number
      warnings: Warning[]
    }
  | { kind: 'conflict'; eventId: string }
  | Extract<AcceptResult, { kind: 'refused' }>
  | Limited

/** What belongs to an event that the service publishes itself: no limit of a tenant and no full disk holds it back. */
export interface OwnEvent {
  /** The end of a delivery that it announces. */
  announces?: AnnouncedEnd
  /** The notice that it is said for. */
  tells?: number
  /** Put on record in the same transaction. */
  audit?: readonly AuditEntry[]
}

export interface Acceptor {
  /**
   * Stores an event with its deliveries; resolves after the commit (guarantee G1).
   * @param fingerprint keyed hash of the received bytes (details 4)
   * @param own what the service itself says; `null`: a producer says it
   * @throws StoreUnavailable when it is unknown whether the event was stored
   */
  accept(event: CheckedEvent, fingerprint: Uint8Array, bodies: BodySource, own?: OwnEvent | null): Promise<Acceptance>
  /** How much its tenant may publish yet; `null`: it has published nothing lately, or nothing is limited. */
  rateOf(whose: Pick<CheckedEvent, 'mode' | 'tenantId'>): RateState | null
  /** Group sizes since the start. */
  stats(): { commits: number; events: number }
}

export interface AcceptorOptions {
  store: Store
  clock: Clock
  random: RandomSource
  nodeId: string
  slots: SlotSource
  /** What tenants may publish; without it nothing is limited. */
  gate?: TenantGate
  /** The last space is kept for what has been accepted: nothing but what the service says of itself is taken. */
  isFull?(): boolean
  /** Events one run may have; the next is refused, so that a looping agent does not flood its subscribers. @default 1000 */
  runEventBudget?: number
  /** The configuration has changed since an event was matched, here or on another node. */
  onStale?(configVersion: number): void
  /** Events a transaction takes at most. @default 1000 */
  maxGroup?: number
  /**
   * A commit waits until this long after the one before it, so that events arriving meanwhile share it; one that comes
   * after a pause is committed at once. @default 2
   */
  gatherMs?: number
}

/** What was published, as far as it does not matter which endpoints there are. */
interface Received {
  event: CheckedEvent
  fingerprint: Uint8Array
  bodies: BodySource
  own: OwnEvent | null
}

interface Waiting {
  item: AcceptItem
  event: CheckedEvent
  bodies: BodySource
  own: OwnEvent | null
  resolve(result: Acceptance): void
  reject(error: unknown): void
}

const diskFull = () => new StoreUnavailable('storage_full', 'the disk is almost full')

/** Accepts events in groups, so that one flush to the disk carries many of them. */
export function createAcceptor(options: AcceptorOptions): Acceptor {
  const { store, clock, random, nodeId, slots, maxGroup = 1000, gatherMs = 2, runEventBudget = 1000 } = options
  const matcher = createMatcher(store, clock)
  const entrance = createEntrance(matcher, options.gate ?? null)
  const totals = { commits: 0, events: 0 }
  const queue = new GroupQueue<Waiting>({ clock, gatherMs, maxItems: maxGroup, weigh, commit })

  async function accept(
    event: CheckedEvent,
    fingerprint: Uint8Array,
    bodies: BodySource,
    own: OwnEvent | null = null,
  ): Promise<Acceptance> {
    const given = entrance.enter(event, bodies, own !== null)
    const entered = given instanceof Promise ? await given : given
    if (!isLimited(entered)) return await enqueue({ event, fingerprint, bodies, own }, entered)
    bodies.release()
    return entered
  }

  function enqueue({ event, fingerprint, bodies, own }: Received, match: Match): Promise<Acceptance> {
    const newDeliveryId = () => newId('delivery', event.mode, clock.now(), random)
    const item: AcceptItem = { ...event, fingerprint, ...partsOf(own), ...targetsOf(match, bodies, newDeliveryId) }
    bodies.release()
    return new Promise<Acceptance>((resolve, reject) => {
      if (own === null && options.isFull?.() === true) return reject(diskFull())
      const taken = queue.add({ item, event, bodies, own, resolve, reject })
      if (!taken) reject(new StoreUnavailable('unavailable', 'too much waits'))
    })
  }

  async function commit(group: Waiting[]): Promise<void> {
    for (const { item } of group) reserveSlots(slots, item)
    try {
      const batch = { nodeId, recordedAt: clock.now(), runEventBudget, items: group.map(({ item }) => item) }
      const results = await store.acceptEvents(batch)
      totals.commits++
      totals.events += group.length
      settle(group, results)
    } catch (error) {
      giveUp(group, slots, error)
    }
  }

  function settle(group: Waiting[], results: AcceptResult[]): void {
    startGranted(group, results, slots)
    group.forEach((waiting, index) => answer(waiting, results[index] as AcceptResult))
  }

  function answer(waiting: Waiting, result: AcceptResult): void {
    if (result.kind === 'stale') {
      matcher.forget(result.configVersion)
      options.onStale?.(result.configVersion)
      // It has been let in already.
      const { event, bodies, item, own } = waiting
      const { fingerprint } = item
      Promise.resolve(matcher.cached(event) ?? matcher.match(event))
        .then((match) => enqueue({ event, fingerprint, bodies, own }, passing(match, bodies)))
        .then(waiting.resolve, waiting.reject)
    } else if (result.kind === 'accepted') {
      const { eventId, targets } = waiting.item
      const { sequence, warnings } = result
      waiting.resolve({ kind: 'accepted', eventId, sequence, deliveries: targets.length, warnings })
    } else {
      waiting.resolve(result)
    }
  }

  return { accept, rateOf: (whose) => options.gate?.rateOf(whose) ?? null, stats: () => ({ ...totals }) }
}

function partsOf(own: OwnEvent | null): Pick<AcceptItem, 'announces' | 'tells' | 'audit'> {
  return own === null ? NOT_OWN : { ...NOT_OWN, ...own }
}
const NOT_OWN = { announces: null }

/** Nothing is known of a group's commit: whoever waits is told so, and slots are as they are in the store. */
function giveUp(group: readonly Waiting[], slots: SlotSource, error: unknown): void {
  for (const { item, reject } of group) {
    releaseSlots(slots, item)
    reject(error)
  }
  slots.reconcile()
}

function weigh({ item: { source, bodies, targets } }: Waiting): { bytes: number; rows: number } {
  const bytes = bodies.reduce((sum, { rest }) => sum + rest.length, source.length)
  return { bytes, rows: 1 + targets.length + bodies.length }
}

/** Hands over what was granted, and gives the slots of what was not accepted back. */
function startGranted(group: readonly Waiting[], results: readonly AcceptResult[], slots: SlotSource): void {
  const started: Claim[] = []
  const woken = new Set<string>()
  group.forEach(({ item }, index) => {
    const result = results[index] as AcceptResult
    if (result.kind !== 'accepted') return releaseSlots(slots, item)
    collectDeliveries(item, result, started, woken)
  })
  if (started.length > 0) slots.start(started, Math.max(...group.map(({ item }) => item.configVersion)))
  if (woken.size > 0) slots.wake(woken)
}

/** Sorts an accepted event's deliveries into those that start now and the endpoints whose others wait. */
function collectDeliveries(
  item: AcceptItem,
  result: Extract<AcceptResult, { kind: 'accepted' }>,
  started: Claim[],
  woken: Set<string>,
): void {
  const made = new Map<number, Uint8Array>()
  item.targets.forEach((target, index) => {
    if (!target.grant) return void woken.add(target.endpointId)
    let body = made.get(target.body)
    if (body === undefined) {
      body = bodyAt(item, target.body, result.recordedAt, result.sequence)
      made.set(target.body, body)
    }
    started.push({
      position: result.deliveryPositions[index] as number,
      number: 1,
      deliveryId: target.deliveryId,
      endpointId: target.endpointId,
      tenantId: item.tenantId,
      mode: item.mode,
      eventId: item.eventId,
      eventType: item.type,
      runId: item.runId,
      trigger: 'scheduled',
      cycleStart: 1,
      deadline: item.deadline,
      body,
      classes: item.bodies[target.body]?.classes ?? item.classes,
      suspect: false,
      crashesAlone: 0,
    })
  })
}

function reserveSlots(slots: SlotSource, item: AcceptItem): void {
  for (const target of item.targets) target.grant = target.grant && slots.reserve(target.endpointId)
}

function releaseSlots(slots: SlotSource, item: AcceptItem): void {
  for (const target of item.targets) if (target.grant) slots.release(target.endpointId)
}
