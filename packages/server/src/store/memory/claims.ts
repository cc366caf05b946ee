import type { Claim, ClaimRef } from '../rows.ts'
import type { Store } from '../store.ts'
import { MemoryAcceptance } from './acceptance.ts'
import type { AttemptState, DeliveryState, NodeLife } from './state.ts'

type Input<Verb extends keyof Store> = Parameters<Store[Verb]>[0]
type Output<Verb extends keyof Store> = ReturnType<Store[Verb]>

/** Finding, claiming and giving back deliveries. */
export class MemoryClaims extends MemoryAcceptance {
  findDueEndpoints(input: Input<'findDueEndpoints'>): Output<'findDueEndpoints'> {
    return this.verb('findDueEndpoints', input, ({ after, limit }) => {
      const ids = [...this.open.keys()].filter((id) => this.maySend(id)).toSorted()
      const due = ids.flatMap((endpointId) => {
        const nextDue = this.nextDue(endpointId)
        return nextDue === null || (after !== null && endpointId <= after) ? [] : [{ endpointId, nextDue }]
      })
      const suspects = this.waitingSuspects().length > 0
      return { due: due.slice(0, limit), suspects }
    })
  }

  claimDue(input: Input<'claimDue'>): Output<'claimDue'> {
    return this.verb('claimDue', input, ({ nodeId, now, requests }) => {
      const life = this.lifeOf(nodeId)
      // What a dead node claims could only be rescued again, as attempts that were never made.
      const granted = this.isDead(life) ? [] : requests
      const claims = granted.flatMap(({ endpointId, limit }) => this.claimOf(endpointId, limit, life, now))
      const nextDue = requests.map(({ endpointId }) => ({ endpointId, nextDue: this.nextDue(endpointId) }))
      return { claims, nextDue, configVersion: this.configVersion }
    })
  }

  claimSuspect(input: Input<'claimSuspect'>): Output<'claimSuspect'> {
    return this.verb('claimSuspect', input, ({ nodeId, now }) => {
      const life = this.lifeOf(nodeId)
      const due = this.isDead(life) ? [] : this.waitingSuspects().filter((delivery) => isDue(delivery, now))
      due.sort((a, b) => b.crashesAlone - a.crashesAlone || byDue(a, b))
      const [claim] = this.takeFirst(due, 1, life, now)
      return { claim: claim ?? null, configVersion: this.configVersion }
    })
  }

  releaseClaims(input: Input<'releaseClaims'>): Promise<void> {
    return this.verb('releaseClaims', input, ({ nodeId, now, claims }) => {
      for (const { position, number, dueAt } of claims) {
        const delivery = this.deliveries.get(position)
        if (delivery !== undefined && this.isHeldBy(delivery, nodeId, number)) this.release(delivery, dueAt, now)
      }
    })
  }

  findClaims(input: Input<'findClaims'>): Promise<ClaimRef[]> {
    return this.verb('findClaims', input, ({ nodeId, limit }) => {
      const held = this.allOpen().filter((delivery) => this.isHeldBy(delivery, nodeId, delivery.attemptCount))
      return held.slice(0, limit).map((delivery) => this.refOf(delivery))
    })
  }

  /** The fence: whether this attempt is in flight, and still this node's. */
  protected isHeldBy(delivery: DeliveryState, nodeId: string, number: number): boolean {
    const { holder, attemptCount } = delivery
    return holder !== null && !holder.left && holder === this.nodes.get(nodeId) && attemptCount === number
  }

  protected maySend(endpointId: string): boolean {
    const endpoint = this.endpoints.get(endpointId)
    if (endpoint === undefined || endpoint.deletedAt !== null || endpoint.row.kind === 'pull') return false
    return endpoint.row.status === 'enabled'
  }

  protected bodyOf(delivery: DeliveryState): Uint8Array {
    return delivery.body ?? delivery.event.body
  }

  /** Takes the attempt in flight off the delivery, as if it had never been. */
  protected release(delivery: DeliveryState, dueAt: number, now: number): void {
    const attempt = delivery.attempts.pop() as AttemptState
    delivery.attemptCount -= 1
    delivery.nextTrigger = attempt.trigger
    delivery.holder = null
    delivery.dueAt = delivery.status === 'pending' ? dueAt : null
    delivery.updatedAt = now
    this.index(delivery)
  }

  protected isPastDeadline(delivery: DeliveryState, now: number): boolean {
    return delivery.event.deadline !== null && delivery.event.deadline <= now
  }

  private claimOf(endpointId: string, limit: number, life: NodeLife, now: number): Claim[] {
    if (!this.maySend(endpointId)) return []
    const claims: Claim[] = []
    // What ends on the way may give its turn to another.
    while (claims.length < limit) {
      const due = this.waitingOf(endpointId).filter((delivery) => isDue(delivery, now))
      if (due.length === 0) break
      claims.push(...this.takeFirst(due.toSorted(byDue), limit - claims.length, life, now))
    }
    return claims
  }

  /** Claims the first `limit` of these; those past their deadline, or with more in them than is granted, end on the way. */
  private takeFirst(due: DeliveryState[], limit: number, life: NodeLife, now: number): Claim[] {
    const claims: Claim[] = []
    for (const delivery of due) {
      if (claims.length === limit) break
      if (this.isPastDeadline(delivery, now)) {
        this.end(delivery, 'expired', 'deadline_passed', now)
        continue
      }
      if (!this.isGranted(delivery)) {
        this.end(delivery, 'cancelled', 'policy_changed', now)
        continue
      }
      this.startAttempt(delivery, life, now)
      claims.push(this.toClaim(delivery))
    }
    return claims
  }

  private waitingOf(endpointId: string): DeliveryState[] {
    return this.openOf(endpointId).filter(
      (delivery) => this.isWaiting(delivery) && !delivery.suspect && !delivery.waitsForTurn,
    )
  }

  private waitingSuspects(): DeliveryState[] {
    return this.allOpen().filter(
      (delivery) => delivery.suspect && this.isWaiting(delivery) && this.maySend(delivery.endpointId),
    )
  }

  private nextDue(endpointId: string): number | null {
    if (!this.maySend(endpointId)) return null
    const times = this.waitingOf(endpointId).map((delivery) => delivery.dueAt ?? Infinity)
    return times.length === 0 ? null : Math.min(...times)
  }

  private toClaim(delivery: DeliveryState): Claim {
    const { event } = delivery
    return {
      ...this.refOf(delivery),
      deliveryId: delivery.id,
      endpointId: delivery.endpointId,
      tenantId: event.tenantId,
      mode: event.mode,
      eventId: event.eventId,
      eventType: event.type,
      runId: event.runId,
      trigger: (delivery.attempts.at(-1) as AttemptState).trigger,
      cycleStart: delivery.cycleStart,
      deadline: event.deadline,
      body: this.bodyOf(delivery),
      classes: delivery.classes,
      suspect: delivery.suspect,
      crashesAlone: delivery.crashesAlone,
    }
  }
}

function isDue(delivery: DeliveryState, now: number): boolean {
  return delivery.dueAt !== null && delivery.dueAt <= now
}

function byDue(a: DeliveryState, b: DeliveryState): number {
  return (a.dueAt ?? 0) - (b.dueAt ?? 0) || a.position - b.position
}
