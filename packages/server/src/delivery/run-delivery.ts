import type { AttemptOutcomeName } from '@runbell/sdk/contract'
import type { AttemptOutcome, Transport } from '../core/attempt-outcome.ts'
import type { Clock, RandomSource } from '../core/clock.ts'
import { FAILING_FOR_MS } from '../core/endpoint-health.ts'
import { ALWAYS_GRANTED, maskOf } from '../core/data-classes.ts'
import { decide, outcomeName, type Verdict } from '../core/verdict.ts'
import type { OpenEndpoint } from '../secrets/open-endpoint.ts'
import type { AttemptRecord, Claim, EndpointEffect } from '../store/rows.ts'
import { attemptDelivery, type AttemptResult, type Signer } from './attempt.ts'
import type { EndpointCache } from './endpoint-cache.ts'
import type { Lane } from './lane.ts'
import type { NodeLease } from './node-lease.ts'
import type { Recorder } from './recorder.ts'
import type { Relay } from './relay.ts'

/** One wide line for each attempt: never a body, a secret or a header's value. */
export interface AttemptLine {
  deliveryId: string
  eventId: string
  eventType: string
  endpointId: string
  tenantId: string
  mode: string
  number: number
  outcome: AttemptOutcomeName | 'not_sent'
  statusCode: number | null
  durationMs: number
  verdict: Verdict['kind'] | 'released' | 'stale'
  /** When the next attempt is due (service time). */
  retryAt: number | null
  /** For operators: may name addresses. */
  detail: string | null
}

export interface RunnerOptions {
  clock: Clock
  random: RandomSource
  transport: Transport
  relay?: Pick<Relay, 'send'>
  sign: Signer
  userAgent: string
  cache: EndpointCache
  lease: NodeLease
  recorder: Recorder
  stopping(): boolean
  /** The answer is there; putting it on record takes its own time. */
  answered(claim: Claim, lane: Lane): void
  onRetry(lane: Lane, at: number): void
  onAttempt?(line: AttemptLine): void
}

/** How soon a delivery is tried again after a fault of our own: it used up no attempt. */
const OWN_FAULT_MS = 2000
/** How soon a delivery is tried again that found no lease long enough for it. */
const NO_LEASE_MS = 1000
/** Answers that say "less, please". */
const SLOW_DOWN = new Set([429, 502, 503, 504])

/** Runs one claimed delivery: send, decide, put on record. */
export function createDeliveryRunner(options: RunnerOptions) {
  const { clock, random, cache, lease, recorder, onAttempt } = options

  async function runDelivery(claim: Claim, lane: Lane): Promise<void> {
    const endpoint = cache.peek(claim.endpointId) ?? (await cache.get(claim.endpointId))
    if (endpoint === null || endpoint.status !== 'enabled') return await release(claim, lane, 0)
    // Claimed before its grants were narrowed: the store ends it when it is claimed again.
    if (exceeds(claim, endpoint)) return await release(claim, lane, 0)
    if (options.stopping()) return await release(claim, lane, 0)
    if (!lease.covers(endpoint.timeoutMs)) return await release(claim, lane, NO_LEASE_MS)
    if (claim.deadline !== null && claim.deadline <= clock.now()) return await release(claim, lane, 0)
    const result = await attemptDelivery(claim, endpoint, options)
    options.answered(claim, lane)
    const { outcome } = result
    if (outcome.kind === 'not_sent') {
      // The key store may answer again, without any change of the endpoint.
      if (endpoint.secrets === null) cache.forget(endpoint.id)
      onAttempt?.(lineOf(claim, outcome, 'released', null))
      return await release(claim, lane, OWN_FAULT_MS * (0.5 + random.fraction()))
    }
    await settle(claim, lane, endpoint, { ...result, outcome })
  }

  /** Nothing was sent, so the attempt is given back. */
  async function release(claim: Claim, lane: Lane, afterMs: number): Promise<void> {
    const dueAt = clock.now() + Math.ceil(afterMs)
    await recorder.release({ position: claim.position, number: claim.number, dueAt })
    options.onRetry(lane, dueAt)
  }

  async function settle(claim: Claim, lane: Lane, endpoint: OpenEndpoint, result: Settled): Promise<void> {
    const { outcome } = result
    const now = clock.now()
    const facts = { ...claim, schedule: endpoint.retrySchedule, now, random: random.fraction() }
    const verdict = withinDeadline(decide(outcome, facts), claim.deadline)
    const name = outcomeName(outcome)
    adjustLane(lane, endpoint, outcome, name === 'delivered')
    // What somebody listens for who looks on is neither held back nor disabled.
    const isWatched = endpoint.kind === 'relay'
    if (name !== 'delivered' && !isWatched) lane.circuit.failed(claim.deliveryId, clock.monotonic())
    const endpointEffect = isWatched ? null : effectOn(endpoint, outcome, now)
    const recorded = await recorder.record({ ...recordOf(claim, result, name), verdict, endpointEffect })
    if (recorded === 'recorded') remember(cache.peek(claim.endpointId), endpointEffect)
    const retryAt = verdict.kind === 'retry' && recorded === 'recorded' ? verdict.at : null
    if (retryAt !== null) options.onRetry(lane, retryAt)
    // The next of its run has its turn now.
    else if (endpoint.ordering === 'run' && claim.runId !== null) options.onRetry(lane, clock.now())
    onAttempt?.(lineOf(claim, outcome, recorded === 'stale' ? 'stale' : verdict.kind, retryAt))
  }

  return runDelivery
}

type Settled = AttemptResult & { outcome: Exclude<AttemptOutcome, { kind: 'not_sent' }> }

/** A retry after the deadline would never start: it is due at the deadline, where the delivery ends `expired`. */
function withinDeadline(verdict: Verdict, deadline: number | null): Verdict {
  if (verdict.kind !== 'retry' || deadline === null) return verdict
  return { kind: 'retry', at: Math.min(verdict.at, deadline) }
}

function adjustLane(lane: Lane, endpoint: OpenEndpoint, outcome: Settled['outcome'], delivered: boolean): void {
  if (delivered) lane.succeeded(endpoint)
  else if (outcome.kind === 'failure' || SLOW_DOWN.has(outcome.status)) lane.failed()
}

function effectOn(endpoint: OpenEndpoint, outcome: Settled['outcome'], now: number): EndpointEffect | null {
  if (outcomeName(outcome) === 'delivered') {
    return endpoint.failingSince === null ? null : { kind: 'recovered' }
  }
  if (outcome.kind === 'response' && outcome.status === 410) return { kind: 'disable', reason: 'gone' }
  if (endpoint.failingSince === null) return { kind: 'failing_since', at: now }
  return now - endpoint.failingSince >= FAILING_FOR_MS ? { kind: 'disable', reason: 'failing' } : null
}

/** What is on record is known from then on, and no sooner: the store may have refused it. */
function remember(endpoint: OpenEndpoint | null | undefined, effect: EndpointEffect | null): void {
  if (endpoint === null || endpoint === undefined || effect === null) return
  if (effect.kind === 'recovered') endpoint.failingSince = null
  else if (effect.kind === 'failing_since') endpoint.failingSince ??= effect.at
}

function recordOf(
  claim: Claim,
  result: Settled,
  name: AttemptOutcomeName,
): Omit<AttemptRecord, 'verdict' | 'endpointEffect'> {
  const { outcome, startedAt, requestHeaders } = result
  const response = outcome.kind === 'response' ? outcome : null
  return {
    position: claim.position,
    number: claim.number,
    startedAt,
    durationMs: Math.round(outcome.durationMs),
    trigger: claim.trigger,
    outcome: name,
    statusCode: response?.status ?? null,
    requestHeaders,
    responseHeaders: response?.headers ?? {},
    excerpt: response?.excerpt ?? null,
    truncated: response?.truncated ?? false,
    phases: outcome.phases,
  }
}

function lineOf(
  claim: Claim,
  outcome: AttemptOutcome,
  verdict: AttemptLine['verdict'],
  retryAt: number | null,
): AttemptLine {
  return {
    deliveryId: claim.deliveryId,
    eventId: claim.eventId,
    eventType: claim.eventType,
    endpointId: claim.endpointId,
    tenantId: claim.tenantId,
    mode: claim.mode,
    number: claim.number,
    outcome: outcome.kind === 'not_sent' ? 'not_sent' : outcomeName(outcome),
    statusCode: outcome.kind === 'response' ? outcome.status : null,
    durationMs: outcome.kind === 'not_sent' ? 0 : Math.round(outcome.durationMs),
    verdict,
    retryAt,
    detail: outcome.kind === 'response' ? null : outcome.detail,
  }
}

/** Whether a body has more in it than its endpoint is granted now. */
function exceeds({ classes }: Claim, { dataClasses }: OpenEndpoint): boolean {
  return (classes & ~(maskOf(dataClasses) | ALWAYS_GRANTED)) !== 0
}
