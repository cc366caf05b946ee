import type { Clock, RandomSource } from '../core/clock.ts'
import type { CheckedEvent } from '../core/checked-event.ts'
import { newId } from '../core/new-id.ts'
import type { AcceptItem, AcceptResult, AcceptTarget } from '../store/accept.ts'
import type { Claim } from '../store/rows.ts'
import { StoreUnavailable, type Store } from '../store/store.ts'
import { completeBody } from '../store/body.ts'
import { GroupQueue } from './group-queue.ts'
import { createMatcher, type Match } from './matcher.ts'
import type { SlotSource } from './slot-source.ts'

/** How an event was taken. Conflicts and duplicates are values; a store that cannot answer rejects. */
export type Acceptance =
  | { kind: 'accepted'; eventId: string; sequence: number | null; deliveries: number }
  | { kind: 'duplicate'; eventId: string; sequence: number | null; deliveries: number }
  | { kind: 'conflict'; eventId: string }

export interface Acceptor {
  /**
   * Stores an event with its deliveries; resolves after the commit (guarantee G1).
   * @param fingerprint keyed hash of the received bytes (details 4)
   * @throws StoreUnavailable when it is unknown whether the event was stored
   */
  accept(event: CheckedEvent, fingerprint: Uint8Array): Promise<Acceptance>
  /** Group sizes since the start. */
  stats(): { commits: number; events: number }
}

export interface AcceptorOptions {
  store: Store
  clock: Clock
  random: RandomSource
  nodeId: string
  slots: SlotSource
  /** Events a transaction takes at most. @default 1000 */
  maxGroup?: number
  /**
   * A commit waits until this long after the one before it, so that events arriving meanwhile share it; one that comes
   * after a pause is committed at once. @default 2
   */
  gatherMs?: number
}

interface Waiting {
  item: AcceptItem
  event: CheckedEvent
  resolve(result: Acceptance): void
  reject(error: unknown): void
}

/** Accepts events in groups, so that one flush to the disk carries many of them. */
export function createAcceptor(options: AcceptorOptions): Acceptor {
  const { store, clock, random, nodeId, slots, maxGroup = 1000, gatherMs = 2 } = options
  const matcher = createMatcher(store)
  const totals = { commits: 0, events: 0 }
  const queue = new GroupQueue<Waiting>({
    clock,
    gatherMs,
    maxItems: maxGroup,
    weigh: ({ item }) => ({ bytes: item.source.length, rows: 1 + item.targets.length }),
    commit,
  })

  async function accept(event: CheckedEvent, fingerprint: Uint8Array): Promise<Acceptance> {
    const { endpoints, configVersion } = matcher.cached(event) ?? (await matcher.match(event))
    const targets = endpoints.map((endpoint) => targetOf(endpoint, newId('delivery', event.mode, clock.now(), random)))
    const item: AcceptItem = { ...event, fingerprint, targets, configVersion }
    return await new Promise<Acceptance>((resolve, reject) => {
      if (!queue.add({ item, event, resolve, reject })) reject(new StoreUnavailable('unavailable', 'too much waits'))
    })
  }

  async function commit(group: Waiting[]): Promise<void> {
    for (const { item } of group) reserveSlots(slots, item)
    try {
      const items = group.map(({ item }) => item)
      const results = await store.acceptEvents({ nodeId, recordedAt: clock.now(), items })
      totals.commits++
      totals.events += group.length
      settle(group, results)
    } catch (error) {
      for (const waiting of group) {
        releaseSlots(slots, waiting.item)
        waiting.reject(error)
      }
      slots.reconcile()
    }
  }

  function settle(group: Waiting[], results: AcceptResult[]): void {
    const started: Claim[] = []
    const woken = new Set<string>()
    group.forEach(({ item }, index) => {
      const result = results[index] as AcceptResult
      if (result.kind !== 'accepted') return releaseSlots(slots, item)
      collectDeliveries(item, result, started, woken)
    })
    if (started.length > 0) slots.start(started, Math.max(...group.map(({ item }) => item.configVersion)))
    if (woken.size > 0) slots.wake(woken)
    group.forEach((waiting, index) => answer(waiting, results[index] as AcceptResult))
  }

  function answer(waiting: Waiting, result: AcceptResult): void {
    if (result.kind === 'stale') {
      matcher.forget(result.configVersion)
      accept(waiting.event, waiting.item.fingerprint).then(waiting.resolve, waiting.reject)
    } else if (result.kind === 'accepted') {
      const { eventId, targets } = waiting.item
      waiting.resolve({ kind: 'accepted', eventId, sequence: result.sequence, deliveries: targets.length })
    } else {
      waiting.resolve(result)
    }
  }

  return { accept, stats: () => ({ ...totals }) }
}

/** Deliveries of ordered endpoints wait for their run's earlier ones and are never granted here (details 17). */
function targetOf({ endpointId, ordered }: Match['endpoints'][number], deliveryId: string): AcceptTarget {
  return { endpointId, deliveryId, grant: !ordered }
}

/** Sorts an accepted event's deliveries into those that start now and the endpoints whose others wait. */
function collectDeliveries(
  item: AcceptItem,
  result: Extract<AcceptResult, { kind: 'accepted' }>,
  started: Claim[],
  woken: Set<string>,
): void {
  let body: Uint8Array | null = null
  item.targets.forEach((target, index) => {
    if (!target.grant) return void woken.add(target.endpointId)
    body ??= completeBody(item, result.recordedAt, result.sequence)
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
