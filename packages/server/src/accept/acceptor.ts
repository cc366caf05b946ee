import type { Clock, RandomSource } from '../core/clock.ts'
import type { CheckedEvent } from '../core/checked-event.ts'
import { newId } from '../core/new-id.ts'
import type { AcceptItem, AcceptResult } from '../store/accept.ts'
import type { Claim } from '../store/rows.ts'
import type { Store } from '../store/store.ts'
import { completeBody } from '../store/body.ts'
import { createMatcher } from './matcher.ts'
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

/** Bytes of received events a transaction takes at most. */
const MAX_GROUP_BYTES = 4 * 1024 * 1024
/** Rows a transaction takes at most: events and deliveries (details 1). */
const MAX_GROUP_ROWS = 5000

/**
 * Group commit: one transaction is under way at a time, and the next takes all that queued meanwhile,
 * so that one flush to the disk carries many events.
 */
export function createAcceptor(options: AcceptorOptions): Acceptor {
  const { store, clock, random, nodeId, slots, maxGroup = 1000, gatherMs = 2 } = options
  const matcher = createMatcher(store)
  let queue: Waiting[] = []
  let committing = false
  let timerSet = false
  let lastCommit = -Infinity
  const totals = { commits: 0, events: 0 }

  async function accept(event: CheckedEvent, fingerprint: Uint8Array): Promise<Acceptance> {
    const match = matcher.cached(event) ?? (await matcher.match(event))
    const item: AcceptItem = { ...event, fingerprint, targets: targetsOf(event, match.endpoints), configVersion: match.configVersion }
    return await new Promise<Acceptance>((resolve, reject) => {
      queue.push({ item, event, resolve, reject })
      schedule()
    })
  }

  function targetsOf(event: CheckedEvent, endpoints: { endpointId: string; ordered: boolean }[]) {
    const now = clock.now()
    return endpoints.map(({ endpointId, ordered }) => ({
      endpointId,
      deliveryId: newId('delivery', event.mode, now, random),
      // Deliveries of ordered endpoints wait for their run's earlier ones (details 17).
      grant: !ordered,
    }))
  }

  function schedule(): void {
    if (committing || timerSet || queue.length === 0) return
    const wait = lastCommit + gatherMs - clock.monotonic()
    if (wait <= 0 || queue.length >= maxGroup) return void commit()
    timerSet = true
    clock.after(wait, () => {
      timerSet = false
      if (!committing) void commit()
    })
  }

  function takeGroup(): Waiting[] {
    let bytes = 0
    let rows = 0
    let count = 0
    for (const { item } of queue) {
      bytes += item.source.length
      rows += 1 + item.targets.length
      if (count > 0 && (count >= maxGroup || bytes > MAX_GROUP_BYTES || rows > MAX_GROUP_ROWS)) break
      count++
    }
    const group = queue.slice(0, count)
    queue = queue.slice(count)
    return group
  }

  async function commit(): Promise<void> {
    const group = takeGroup()
    if (group.length === 0) return
    committing = true
    for (const { item } of group) {
      for (const target of item.targets) target.grant = target.grant && slots.reserve(target.endpointId)
    }
    try {
      const batch = { nodeId, recordedAt: clock.now(), items: group.map(({ item }) => item) }
      const results = await store.acceptEvents(batch)
      totals.commits++
      totals.events += group.length
      settle(group, results)
    } catch (error) {
      for (const waiting of group) {
        releaseSlots(waiting.item)
        waiting.reject(error)
      }
      slots.reconcile()
    } finally {
      committing = false
      lastCommit = clock.monotonic()
      schedule()
    }
  }

  function settle(group: Waiting[], results: AcceptResult[]): void {
    const started: Claim[] = []
    const woken = new Set<string>()
    let configVersion = 0
    group.forEach((waiting, index) => {
      const result = results[index] as AcceptResult
      if (result.kind === 'accepted') {
        configVersion = Math.max(configVersion, waiting.item.configVersion)
        collectDeliveries(waiting.item, result, started, woken)
      } else {
        releaseSlots(waiting.item)
      }
      answer(waiting, result)
    })
    if (started.length > 0) slots.start(started, configVersion)
    if (woken.size > 0) slots.wake(woken)
  }

  function answer(waiting: Waiting, result: AcceptResult): void {
    if (result.kind === 'stale') {
      matcher.forget(result.configVersion)
      accept(waiting.event, waiting.item.fingerprint).then(waiting.resolve, waiting.reject)
    } else if (result.kind === 'accepted') {
      const { sequence } = result
      const { eventId, targets } = waiting.item
      waiting.resolve({ kind: 'accepted', eventId, sequence, deliveries: targets.length })
    } else {
      waiting.resolve(result)
    }
  }

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

  function releaseSlots(item: AcceptItem): void {
    for (const target of item.targets) if (target.grant) slots.release(target.endpointId)
  }

  return { accept, stats: () => ({ ...totals }) }
}
