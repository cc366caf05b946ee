import type { Prunable, PruneInput, PruneResult } from '../retention.ts'
import type { Store } from '../store.ts'
import { MemoryAudit } from './audit.ts'
import { lastOutcome } from './reading.ts'
import type { DeliveryState, EventState } from './state.ts'

type Input<Verb extends keyof Store> = Parameters<Store[Verb]>[0]

/** What retention itself has ended stays to be seen for so long, or as long as events are kept, if that is shorter. */
const SEEN_MS = 86_400_000

/** Removing what is older than it is kept. */
export class MemoryRetention extends MemoryAudit {
  /** By kind and mode: how far it has come, and what it had to leave. */
  readonly #walks = new Map<string, { mark: number; left: Set<number> }>()

  prune(input: PruneInput): Promise<PruneResult> {
    return this.verb('prune', input, (ask) => {
      const { mark, left } = this.#walkOf(ask)
      if (ask.again !== null) return this.#walk(ask, this.#leftAfter(left, ask.again), left)
      const ahead = [...this.events.values()].filter(({ position }) => position > mark)
      const young = ahead.findIndex(({ recordedAt }) => recordedAt >= ask.before)
      return this.#walk(ask, young === -1 ? ahead : ahead.slice(0, young), left)
    })
  }

  /** New attempts of a replay are looked for where those before have been removed. */
  override replayDeliveries(input: Input<'replayDeliveries'>): ReturnType<Store['replayDeliveries']> {
    const event = this.events.get(input.eventPosition)
    if (event !== undefined) this.lookAgainAtAttempts(event)
    return super.replayDeliveries(input)
  }

  protected lookAgainAtAttempts({ mode, position }: EventState): void {
    const walk = this.#walks.get(`attempts/${mode}`)
    if (walk !== undefined && walk.mark >= position) walk.left.add(position)
  }

  pruneEndpoints(input: Input<'pruneEndpoints'>): Promise<number> {
    return this.verb('pruneEndpoints', input, ({ deletedBefore, limit }) => {
      const used = new Set([...this.deliveries.values()].map(({ endpointId }) => endpointId))
      const gone = [...this.endpoints.values()]
        .filter(({ row, deletedAt }) => deletedAt !== null && deletedAt < deletedBefore && !used.has(row.id))
        .slice(0, limit)
      for (const { row } of gone) this.endpoints.delete(row.id)
      return gone.length
    })
  }

  reclaimSpace(input: Input<'reclaimSpace'>): Promise<number> {
    return this.verb('reclaimSpace', input, () => 0)
  }

  #walkOf({ what, mode }: PruneInput) {
    const key = `${what}/${mode}`
    const walk = this.#walks.get(key) ?? { mark: 0, left: new Set() }
    this.#walks.set(key, walk)
    return walk
  }

  #leftAfter(left: Set<number>, after: number): EventState[] {
    return [...left].filter((position) => position > after).map((position) => this.events.get(position) as EventState)
  }

  #walk(ask: PruneInput, events: EventState[], left: Set<number>): PruneResult {
    const walk = this.#walkOf(ask)
    let [removed, work, last] = [0, 0, ask.again ?? walk.mark]
    for (const event of events) {
      if (work >= ask.limit) break
      last = event.position
      work += 1
      if (event.mode !== ask.mode || event.recordedAt >= ask.before) continue
      if (ask.what !== 'idempotency') work += event.deliveries.length
      const count = this.#removeOne(ask, event)
      removed += count ?? 0
      if (count === null) left.add(event.position)
      else left.delete(event.position)
    }
    if (ask.again === null) walk.mark = last
    return { removed, next: work >= ask.limit ? last : null }
  }

  /** How many of what is counted went; `null`: it had to be left. */
  #removeOne({ what, before, now }: PruneInput, event: EventState): number | null {
    if (what === 'idempotency') return this.#forgetKeys(event)
    if (what !== 'attempts') this.#expireHeld(event, now)
    if (event.deliveries.some((delivery) => this.isNeeded(delivery))) return null
    if (what === 'events' && this.#wasEndedSince(event, now - Math.min(SEEN_MS, now - before))) return null
    return this.#remove(what, event, { before, now }) ? 1 : null
  }

  /** Whether something is still to come of it that needs its event. */
  protected isNeeded({ status, holder, watch }: DeliveryState): boolean {
    return status === 'pending' || holder !== null || (watch === 'yes' && status !== 'delivered')
  }

  /** Whether retention itself ended a delivery of it later than this: somebody is to see that. */
  #wasEndedSince({ deliveries }: EventState, since: number): boolean {
    return deliveries.some(
      ({ reason, updatedAt }) => (reason === 'held_past_retention' || reason === 'not_pulled') && updatedAt > since,
    )
  }

  /** What waits behind a dead letter that is older than its event is kept is held no longer. */
  #expireBehind(lane: string, now: number): void {
    const behind = [...(this.lanes.get(lane) ?? [])].filter(({ waitsForTurn }) => waitsForTurn)
    for (const one of behind) this.end(one, 'expired', 'held_past_retention', now)
  }

  #expireHeld(event: EventState, now: number): void {
    for (const delivery of event.deliveries) {
      const { kind, status } = this.endpointOf(delivery).row
      if (delivery.lane !== null && delivery.status !== 'pending') this.#expireBehind(delivery.lane, now)
      if (!this.isWaiting(delivery)) continue
      if (kind === 'pull') this.end(delivery, 'expired', 'not_pulled', now)
      else if (status === 'paused') this.end(delivery, 'expired', 'held_past_retention', now)
    }
  }

  #forgetKeys(event: EventState): number {
    const { idempotencyKeys } = this.partition(event.tenantId, event.mode)
    const own = [...idempotencyKeys].filter(([, keyed]) => keyed === event)
    for (const [key] of own) idempotencyKeys.delete(key)
    return own.length
  }

  #remove(what: Exclude<Prunable, 'idempotency'>, event: EventState, { before, now }: { before: number; now: number }) {
    if (what === 'events') return this.#removeEvent(event)
    if (what === 'payloads') return this.#forgetPayload(event, now)
    for (const delivery of event.deliveries) {
      delivery.prunedOutcome = lastOutcome(delivery)
      delivery.attempts = delivery.attempts.filter(({ startedAt }) => startedAt >= before)
    }
    return event.deliveries.every(({ attempts }) => attempts.length === 0)
  }

  #forgetPayload(event: EventState, now: number): boolean {
    if (event.payloadGone !== null) return true
    event.payloadGone = { at: now, by: 'retention' }
    event.warnings = []
    this.emptyBodies(event)
    return true
  }

  #removeEvent(event: EventState): boolean {
    const { position, tenantId, mode, eventId, runId } = event
    const { events, runs } = this.partition(tenantId, mode)
    this.#forgetKeys(event)
    events.delete(eventId)
    this.events.delete(position)
    for (const delivery of event.deliveries) {
      if (delivery.lane !== null) this.leaveLane(delivery)
      this.deliveries.delete(delivery.position)
      this.deliveriesById.delete(delivery.id)
    }
    for (const what of ['payloads', 'attempts']) this.#walks.get(`${what}/${mode}`)?.left.delete(position)
    if (runId !== null && ![...events.values()].some((other) => other.runId === runId)) runs.delete(runId)
    return true
  }
}
