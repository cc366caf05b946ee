import type { Mode } from '@runbell/sdk/contract'
import type { Clock } from '../core/clock.ts'
import { fullBucket, refill, takeToken, untilToken, type Bucket, type BucketLimits } from '../core/token-bucket.ts'
import type { TenantLimits } from '../store/rows.ts'
import type { Store } from '../store/store.ts'

/** A tenant asks for more than it may. */
export interface Limited {
  kind: 'limited'
  code: 'rate_limited' | 'quota_exceeded'
  message: string
  /** When it is worth trying again. */
  retryAfterMs: number
}

/** How much of its publish rate a tenant has left. */
export interface RateState {
  /** Events in `windowSeconds`. */
  quota: number
  windowSeconds: number
  remaining: number
  /** Until all of it is there again. */
  resetSeconds: number
}

export interface TenantGateOptions {
  store: Pick<Store, 'countPending'>
  clock: Pick<Clock, 'monotonic'>
  /** For tenants that have no limits of their own. */
  defaults: { eventsPerSecond: number; maxPending: number }
}

type Whose = { mode: Mode; tenantId: string }

/** So many seconds' worth of events may come at once. */
const WINDOW_SECONDS = 10
/** Tenants that are remembered; beyond that those with nothing to remember go. */
const MAX_TENANTS = 10_000
/** So often they are looked for. */
const SWEEP_MS = 1000
/** Deliveries a tenant makes before anybody counts what it had. */
const COUNT_FROM = 1000
/** A count of what is pending is good for so long. */
const RECOUNT_MS = 10_000

interface TenantState {
  bucket: Bucket
  limits: BucketLimits
  /** Deliveries that were pending when they were last counted; `null`: never yet. */
  counted: number | null
  /** Made since: none of them is taken to have ended before the next count. */
  since: number
  countedAt: number
  counting: boolean
}

/**
 * What each tenant may publish, in each mode for itself: a rate, and a number of deliveries that may be pending. Kept in memory
 * of this node. What is pending is counted in the store now and then; in between nothing is taken to have ended. After a start
 * nobody has counted yet, and a tenant may make 1,000 deliveries more.
 */
export class TenantGate {
  readonly #options: TenantGateOptions
  readonly #tenants = new Map<string, TenantState>()
  #sweptAt = -Infinity

  constructor(options: TenantGateOptions) {
    this.#options = options
  }

  /** Takes one event off the tenant's rate; a refusal takes nothing. @param deliveries that it would make */
  admit(whose: Whose, own: TenantLimits, deliveries: number): Limited | null {
    const now = this.#options.clock.monotonic()
    const state = this.#stateOf(whose, own, now)
    const maxPending = own.maxPending ?? this.#options.defaults.maxPending
    const full = this.#isFull(whose, state, maxPending, deliveries, now)
    if (full !== null) return full
    const left = takeToken(state.bucket, state.limits, now)
    if (left === null) {
      const { perSecond } = state.limits
      return {
        kind: 'limited',
        code: 'rate_limited',
        message: `this tenant may publish ${perSecond} events a second, and has`,
        retryAfterMs: untilToken(state.bucket, state.limits, now),
      }
    }
    state.bucket = left
    state.since += deliveries
    return null
  }

  rateOf(whose: Whose): RateState | null {
    const state = this.#tenants.get(keyOf(whose))
    if (state === undefined) return null
    const { perSecond, burst } = state.limits
    const { tokens } = refill(state.bucket, state.limits, this.#options.clock.monotonic())
    const [remaining, resetSeconds] = [Math.floor(tokens), Math.ceil((burst - tokens) / perSecond)]
    return { quota: burst, windowSeconds: WINDOW_SECONDS, remaining, resetSeconds }
  }

  #stateOf(whose: Whose, own: TenantLimits, now: number): TenantState {
    const perSecond = own.eventsPerSecond ?? this.#options.defaults.eventsPerSecond
    const limits = { perSecond, burst: perSecond * WINDOW_SECONDS }
    const key = keyOf(whose)
    const known = this.#tenants.get(key)
    if (known !== undefined) {
      if (known.limits.perSecond !== perSecond) {
        // The limit was changed: it holds from now on, and nobody gets a new stock for it.
        known.bucket = { tokens: Math.min(refill(known.bucket, known.limits, now).tokens, limits.burst), at: now }
        known.limits = limits
      }
      return known
    }
    if (this.#tenants.size >= MAX_TENANTS && now - this.#sweptAt >= SWEEP_MS) this.#forgetIdle(now)
    const state = { bucket: fullBucket(limits, now), limits, counted: null, since: 0, countedAt: now, counting: false }
    this.#tenants.set(key, state)
    return state
  }

  #isFull(whose: Whose, state: TenantState, most: number, deliveries: number, now: number): Limited | null {
    if (deliveries === 0) return null
    const made = state.since + deliveries
    if (state.counted === null) {
      if (made > Math.min(COUNT_FROM, most / 2)) void this.#count(whose, state, most)
      return null
    }
    const atMost = state.counted + made
    if (atMost > most / 2 && now - state.countedAt >= RECOUNT_MS) void this.#count(whose, state, most)
    if (atMost <= most) return null
    return {
      kind: 'limited',
      code: 'quota_exceeded',
      message: `this tenant has ${most} deliveries pending, which is as many as it may`,
      retryAfterMs: RECOUNT_MS,
    }
  }

  async #count(whose: Whose, state: TenantState, most: number): Promise<void> {
    if (state.counting) return
    state.counting = true
    const before = state.since
    try {
      const counted = await this.#options.store.countPending({ ...whose, limit: most + 1 })
      // What was made while it was being counted may be in it or not: it is taken to be not.
      state.counted = counted
      state.since -= before
    } catch {
      // The next one counts; a store that is away refuses the event itself.
    } finally {
      state.counting = false
      state.countedAt = this.#options.clock.monotonic()
    }
  }

  /** A tenant with a full bucket is one like any that was never seen. */
  #forgetIdle(now: number): void {
    this.#sweptAt = now
    for (const [key, state] of this.#tenants) {
      if (refill(state.bucket, state.limits, now).tokens >= state.limits.burst) this.#tenants.delete(key)
    }
  }
}

function keyOf({ mode, tenantId }: Whose): string {
  return `${mode}:${tenantId}`
}
