import type { DeliveryReason } from '@runbell/sdk/contract'
import { isRecoveryTold } from '../../core/endpoint-health.ts'
import { decideAfterCrash } from '../../core/verdict.ts'
import type { AttemptRecord, EndpointEffect, RecordResult, Rescued } from '../rows.ts'
import type { Store } from '../store.ts'
import { MemoryClaims } from './claims.ts'
import type { AttemptState, DeliveryState, NodeLife } from './state.ts'

type Input<Verb extends keyof Store> = Parameters<Store[Verb]>[0]
type Output<Verb extends keyof Store> = ReturnType<Store[Verb]>

/** How attempts end: with an outcome that a node records, or as `unknown` when the node is dead. */
export class MemoryRecords extends MemoryClaims {
  recordAttempts(input: Input<'recordAttempts'>): Output<'recordAttempts'> {
    return this.verb('recordAttempts', input, ({ nodeId, now, records }) => {
      const results = records.map((record) => this.recordOne(nodeId, record, now))
      return { results, configVersion: this.configVersion }
    })
  }

  rescueClaims(input: Input<'rescueClaims'>): Promise<Rescued> {
    return this.verb('rescueClaims', input, ({ now, limit }) => this.rescueStep(now, limit))
  }

  /** Outcome, verdict and effect belong together: separated by a crash, a delivery would wait for ever. */
  protected recordOne(nodeId: string, record: AttemptRecord, now: number): RecordResult {
    const delivery = this.deliveries.get(record.position)
    if (delivery === undefined || !this.isHeldBy(delivery, nodeId, record.number)) return 'stale'
    this.recordOutcome(delivery, record, now)
    this.applyVerdict(delivery, record, now)
    if (record.endpointEffect !== null) this.applyEffect(delivery, record.endpointEffect, now)
    return 'recorded'
  }

  /** Closes the attempt in flight. The content has shown that it need not crash us: it is no suspect any more. */
  protected recordOutcome(delivery: DeliveryState, record: AttemptRecord, now: number): void {
    const { position: _position, verdict: _verdict, endpointEffect: _effect, ...seen } = record
    // Of an answer that may echo what has been erased nothing is kept.
    const erased = delivery.event.payloadGone === null ? {} : { excerpt: null, responseHeaders: {} }
    Object.assign(delivery.attempts.at(-1) as AttemptState, seen, erased)
    delivery.holder = null
    delivery.suspect = false
    delivery.crashesAlone = 0
    delivery.updatedAt = now
    this.index(delivery)
  }

  /** What becomes of the delivery; one that was ended while in flight stays as it is. */
  protected applyVerdict(delivery: DeliveryState, { verdict }: Pick<AttemptRecord, 'verdict'>, now: number): void {
    if (delivery.status !== 'pending') return
    if (verdict.kind === 'delivered') this.end(delivery, 'delivered', null, now)
    else if (verdict.kind === 'dead_letter') this.deadLetter(delivery, verdict.reason, now)
    else if (this.endpointOf(delivery).deletedAt !== null) this.end(delivery, 'cancelled', 'endpoint_deleted', now)
    else if (!this.isGranted(delivery)) this.end(delivery, 'cancelled', 'policy_changed', now)
    else this.retryAt(delivery, verdict.at, now)
  }

  private deadLetter(delivery: DeliveryState, reason: DeliveryReason, now: number): void {
    this.end(delivery, 'dead_lettered', reason, now)
    const { eventId, type: eventType, runId } = delivery.event
    // None is said about deliveries of service events.
    if (eventType.startsWith('runbell.')) return
    const lastOutcome = delivery.attempts.findLast(({ outcome }) => outcome !== null)?.outcome ?? null
    const { id: deliveryId, attemptCount, replays } = delivery
    const told = { deliveryId, eventId, eventType, runId, attemptCount, replays, lastOutcome }
    const { row } = this.endpointOf(delivery)
    this.note(row, { kind: 'dead_lettered', at: now, reason, failingSince: null, delivery: told })
  }

  protected retryAt(delivery: DeliveryState, at: number, now: number): void {
    delivery.dueAt = at
    delivery.updatedAt = now
    this.index(delivery)
  }

  /** Health alone leaves the config version: otherwise one flapping endpoint would make every accepted item stale. */
  protected applyEffect(delivery: DeliveryState, effect: EndpointEffect, now: number): void {
    const { row, deletedAt } = this.endpointOf(delivery)
    if (deletedAt !== null) return
    if (effect.kind === 'failing_since') row.failingSince ??= effect.at
    else if (effect.kind === 'recovered') {
      const { failingSince } = row
      row.failingSince = null
      const notice = { kind: 'recovered', at: now, reason: null, failingSince, delivery: null } as const
      if (isRecoveryTold(failingSince, now)) this.note(row, notice)
    } else if (row.status !== 'disabled') {
      Object.assign(row, { status: 'disabled', disabledReason: effect.reason, disabledAt: now, updatedAt: now })
      this.putOnRecord({
        ...{ mode: row.mode, tenantId: row.tenantId, at: now, actor: 'system', action: 'endpoint.disabled' },
        ...{ target: row.id, detail: { reason: effect.reason }, requestId: null },
      })
      const { failingSince } = row
      this.note(row, { kind: 'disabled', at: now, reason: effect.reason, failingSince, delivery: null })
      this.raiseConfigVersion()
    }
  }

  /** Takes over from one dead node, which cannot come back from then on. */
  protected rescueStep(now: number, limit: number): Rescued {
    const orphans = this.allOpen().filter(({ holder }) => holder !== null && this.isDead(holder))
    orphans.sort((a, b) => a.position - b.position)
    const life = orphans[0]?.holder
    if (life === undefined || life === null) return { rescued: [], ended: 0, more: false }
    const held = orphans.filter(({ holder }) => holder === life)
    life.lost = true
    life.aloneAtDeath ??= held.length === 1 && !life.left
    const taken = held.slice(0, limit)
    for (const delivery of taken) this.endUnknown(delivery, life, now)
    const rescued = taken.filter((delivery) => this.isWaiting(delivery))
    return {
      rescued: rescued.map(({ position, endpointId }) => ({ position, endpointId })),
      ended: taken.length - rescued.length,
      more: orphans.length > taken.length,
    }
  }

  /** The attempt may or may not have been sent: it stays on record as `unknown` and counts. */
  protected endUnknown(delivery: DeliveryState, life: NodeLife, now: number): void {
    const attempt = delivery.attempts.at(-1) as AttemptState
    attempt.outcome = 'unknown'
    delivery.holder = null
    delivery.updatedAt = now
    // A node that left was stopped, not brought down by what it had in flight.
    if (!life.left) delivery.suspect = true
    if (life.aloneAtDeath === true) delivery.crashesAlone += 1
    const { attempts, cycleStart } = delivery
    const known = attempts.filter(({ number, outcome }) => number >= cycleStart && outcome !== 'unknown')
    const verdict = decideAfterCrash({
      number: attempt.number,
      cycleStart,
      knownOutcomes: known.length,
      crashesAlone: delivery.crashesAlone,
      maxAttempts: this.endpointOf(delivery).row.retrySchedule.length + 1,
      now,
    })
    this.index(delivery)
    // Its one attempt is used up, and its listener was cut off too.
    const isRelay = this.endpointOf(delivery).row.kind === 'relay' && delivery.status === 'pending'
    if (isRelay && verdict.kind === 'retry') this.end(delivery, 'cancelled', 'listener_gone', now)
    else this.applyVerdict(delivery, { verdict }, now)
  }
}
