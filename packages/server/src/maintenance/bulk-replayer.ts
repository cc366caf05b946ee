import { MODES, type Mode } from '@runbell/sdk/contract'
import type { Clock } from '../core/clock.ts'
import { subscribes } from '../core/match.ts'
import { fullBucket, refill, type Bucket, type BucketLimits } from '../core/token-bucket.ts'
import type { Advanced, BulkReplayRow, HeldReplay, ReplayedPlace } from '../store/bulk-replays.ts'
import type { EndpointRow, EventRow, GivenBody } from '../store/rows.ts'
import type { Store } from '../store/store.ts'

export interface BulkReplayerOptions {
  store: Store
  clock: Clock
  nodeId: string
  /** How long bulk replays are kept after they have ended, in ms of service time. */
  keepMs: Readonly<Record<Mode, number>>
  /** Whether an event that an endpoint subscribes to passes its filter. */
  passes(event: EventRow, endpoint: EndpointRow): boolean
  /** What an endpoint gets of an event now. */
  render(event: EventRow, endpoint: EndpointRow): GivenBody
  newDeliveryId(mode: Mode): string
  /** Deliveries to these endpoints are due. */
  wake(endpointIds: readonly string[]): void
  /** Nothing more is to be done. */
  stopping(): boolean
}

/** How often to look for bulk replays that nobody works on. */
const CLAIM_MS = 1000
/** How often to look for ones that are kept no longer. */
const PRUNE_MS = 60_000
/** Bulk replays of one node at a time; others wait for their turn. */
const MAX_HELD = 32
/** Deliveries that one transaction reopens, and looks at: some ms of the one writer's time. */
const STEP = 200
const LOOK = 1000
/** Of a replay to an endpoint: events read at once, and their bytes. */
const EVENTS = 200
const EVENT_BYTES = 1024 * 1024
/** So much of a second's deliveries may come at once. */
const BURST_SECONDS = 0.5
/** Deliveries whose end is counted in one transaction, and how many of these there are in a second. */
const SETTLE = 1000
const SETTLES = 5
/** So often an endpoint may change while bodies are being rendered, before the next round tries again. */
const MAX_TRIES = 5

export interface ReplayerCounts {
  replayed: number
}

interface Work extends HeldReplay {
  bucket: Bucket
  /** Whether all that it may take was found of late: then looking far ahead would be for nothing. */
  isDense: boolean
}

/**
 * Works on bulk replays: each at its rate, in small steps with as long a pause after each as it took. Everything that must
 * not be lost is in the store: where a process dies, or an answer is lost, somebody claims the replay and goes on from its cursor.
 */
export class BulkReplayer {
  readonly #options: BulkReplayerOptions
  #works: Work[] = []
  #claimedAt = -Infinity
  #prunedAt = -Infinity
  /** Where counting goes on; `null`: at the start. */
  #settledTo: ReplayedPlace | null = null

  constructor(options: BulkReplayerOptions) {
    this.#options = options
  }

  /** One round: as much as the rates allow now. One that fails holds up no other. @throws what the last one failed with */
  async runOnce(): Promise<ReplayerCounts> {
    const { clock } = this.#options
    if (clock.monotonic() - this.#claimedAt >= CLAIM_MS) await this.#lookAround()
    let replayed = 0
    let failure: Error | null = null
    for (let more = true; more && clock.monotonic() - this.#claimedAt < CLAIM_MS;) {
      more = false
      for (const work of [...this.#works]) {
        try {
          const step = await this.#work(work)
          replayed += step?.replayed ?? 0
          more ||= step !== null
        } catch (error) {
          // Whether the step has been committed is seen when it is claimed again.
          this.#works = this.#works.filter((other) => other !== work)
          failure = error instanceof Error ? error : new Error(String(error))
        }
      }
    }
    if (failure !== null) throw failure
    return { replayed }
  }

  async #lookAround(): Promise<void> {
    const { store, clock, nodeId, keepMs } = this.#options
    this.#claimedAt = clock.monotonic()
    const held = await store.claimBulkReplays({ nodeId, limit: MAX_HELD })
    const known = new Map(this.#works.map((work) => [work.row.position, work]))
    this.#works = held.map(({ row, fence }) => ({
      ...{ row, fence },
      bucket: known.get(row.position)?.bucket ?? fullBucket(rateOf(row), clock.monotonic()),
      isDense: known.get(row.position)?.isDense ?? true,
    }))
    for (let round = 0; round < SETTLES; round++) {
      const { next } = await store.settleBulkReplays({ after: this.#settledTo, limit: SETTLE })
      this.#settledTo = next
      if (next === null) break
    }
    if (clock.monotonic() - this.#prunedAt < PRUNE_MS) return
    this.#prunedAt = clock.monotonic()
    for (const mode of MODES) {
      await store.pruneBulkReplays({ mode, endedBefore: clock.now() - keepMs[mode], limit: STEP })
    }
  }

  /** One step of a replay, if its rate allows one. `null`: it has to wait, or is nothing to do here any more. */
  async #work(work: Work): Promise<Advanced | null> {
    const { clock, wake, stopping } = this.#options
    work.bucket = refill(work.bucket, rateOf(work.row), clock.monotonic())
    const limit = Math.min(STEP, Math.floor(work.bucket.tokens))
    if (limit < 1 || stopping()) return null
    const began = clock.monotonic()
    const step = await (work.row.asked.toEndpointId === null ? this.#reopen(work, limit) : this.#deliver(work, limit))
    if (step === null || step.row.status !== 'running') this.#works = this.#works.filter((other) => other !== work)
    if (step === null) return null
    work.row = step.row
    work.bucket.tokens -= step.replayed
    work.isDense = step.replayed === limit
    if (step.endpointIds.length > 0) wake(step.endpointIds)
    await pause(clock, Math.max(1, clock.monotonic() - began))
    return step
  }

  #reopen({ row, fence, isDense }: Work, limit: number): Promise<Advanced | null> {
    const { store, clock } = this.#options
    const look = isDense ? limit + 1 : LOOK
    return store.advanceBulkReplay({ replay: row.position, fence, now: clock.now(), look, limit })
  }

  async #deliver(work: Work, limit: number): Promise<Advanced | null> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const step = await this.#deliverOnce(work, limit)
      if (step !== 'stale') return step
    }
    return null
  }

  async #deliverOnce({ row, fence }: Work, limit: number): Promise<Advanced | 'stale' | null> {
    const { store, clock, newDeliveryId, render, passes } = this.#options
    const { asked, cursor: from, mode, tenantId } = row
    const endpointIds = [asked.toEndpointId as string]
    const { endpoints, configVersion } = await store.loadEndpoints({ endpointIds })
    const [endpoint] = endpoints
    const base = { replay: row.position, fence, now: clock.now(), from, configVersion }
    // It has been deleted: nothing that was matched can be sent.
    if (endpoint === undefined) return store.deliverBulkReplay({ ...base, to: null, items: [] })
    const { types, runId, since, until } = asked.filter
    const scanned = await store.scanEvents({
      ...{ scope: { mode, tenantId }, filter: { types, runId, since, until }, maxBytes: EVENT_BYTES },
      ...{ after: from, upTo: asked.upTo, limit: EVENTS },
    })
    const wanted = scanned.rows.filter(
      (event) => subscribes(endpoint.eventTypes, event.type) && (event.payloadGone !== null || passes(event, endpoint)),
    )
    const taken = wanted.slice(0, limit)
    const items = taken.map((event) => ({
      eventPosition: event.position,
      deliveryId: newDeliveryId(mode),
      // A payload that is gone cannot be read; the store skips it.
      body: event.payloadGone === null ? render(event, endpoint) : { bytes: null, classes: 0 },
    }))
    const to = taken.length < wanted.length ? (taken.at(-1)?.position ?? from) : scanned.next
    return store.deliverBulkReplay({ ...base, to, items })
  }
}

function rateOf({ asked: { ratePerSecond: perSecond } }: BulkReplayRow): BucketLimits {
  return { perSecond, burst: Math.max(1, perSecond * BURST_SECONDS) }
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resume) => clock.after(ms, resume))
}
