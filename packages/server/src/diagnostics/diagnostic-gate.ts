import type { Mode } from '@runbell/sdk/contract'
import type { Clock } from '../core/clock.ts'
import { fullBucket, refill, untilToken, type Bucket, type BucketLimits } from '../core/token-bucket.ts'

export interface DiagnosticGateOptions {
  clock: Pick<Clock, 'monotonic'>
  /** Diagnostics a second of one tenant in one mode. */
  perTenant: number
  /** Diagnostics a second of all tenants together, at this node. */
  perNode: number
}

type Whose = { mode: Mode; tenantId: string }

/** So many seconds' worth may come at once. */
const WINDOW_SECONDS = 2
/** Tenants that are remembered; beyond that those with nothing to remember go. */
const MAX_TENANTS = 10_000

/**
 * What diagnostics may cost: buckets of their own, far below what events may, so that it is diagnostics that are refused long before
 * an event is. A request is taken whole while there is anything in the bucket, and what it takes too much is owed: nobody has to send a
 * part of a batch again. Requests are small enough (see `DIAGNOSTIC_LIMITS`) that no debt lasts long.
 */
export class DiagnosticGate {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #tenantLimits: BucketLimits
  readonly #nodeLimits: BucketLimits
  readonly #tenants = new Map<string, Bucket>()
  #node: Bucket

  constructor({ clock, perTenant, perNode }: DiagnosticGateOptions) {
    this.#clock = clock
    this.#tenantLimits = limitsOf(perTenant)
    this.#nodeLimits = limitsOf(perNode)
    this.#node = fullBucket(this.#nodeLimits, clock.monotonic())
  }

  /** Ms to wait before anything is taken at all: asked before a body is read. 0: now. @param whose where it is known */
  wait(whose: Whose | null): number {
    const now = this.#clock.monotonic()
    const ofNode = untilToken(this.#node, this.#nodeLimits, now)
    const bucket = whose === null ? undefined : this.#tenants.get(keyOf(whose))
    return bucket === undefined ? ofNode : Math.max(ofNode, untilToken(bucket, this.#tenantLimits, now))
  }

  /** Takes so many off the buckets. Ms to wait: the tenant owes still, and nothing was taken. 0: taken. */
  take(whose: Whose, count: number): number {
    const now = this.#clock.monotonic()
    const key = keyOf(whose)
    const bucket = this.#tenants.get(key) ?? fullBucket(this.#tenantLimits, now)
    const wait = untilToken(bucket, this.#tenantLimits, now)
    if (wait > 0) return wait
    if (!this.#tenants.has(key) && this.#tenants.size >= MAX_TENANTS) this.#forgetIdle(now)
    this.#tenants.set(key, less(bucket, this.#tenantLimits, now, count))
    this.#node = less(this.#node, this.#nodeLimits, now, count)
    return 0
  }

  /** A tenant with a full bucket is one like any that was never seen; where all have debts, all are forgiven. */
  #forgetIdle(now: number): void {
    for (const [key, bucket] of this.#tenants) {
      if (refill(bucket, this.#tenantLimits, now).tokens >= this.#tenantLimits.burst) this.#tenants.delete(key)
    }
    if (this.#tenants.size >= MAX_TENANTS) this.#tenants.clear()
  }
}

function limitsOf(perSecond: number): BucketLimits {
  return { perSecond, burst: perSecond * WINDOW_SECONDS }
}

function less(bucket: Bucket, limits: BucketLimits, now: number, count: number): Bucket {
  const { tokens, at } = refill(bucket, limits, now)
  return { tokens: tokens - count, at }
}

function keyOf({ mode, tenantId }: Whose): string {
  return `${mode}:${tenantId}`
}
