import type { Claim } from '../store/rows.ts'
import type { SlotSource } from '../accept/slot-source.ts'
import type { OpenEndpoint } from '../secrets/open-endpoint.ts'
import { AgeWatch } from './age-watch.ts'
import type { DispatcherOptions } from './dispatcher-options.ts'
import { duePages } from './due-pages.ts'
import type { Lane, LaneState, SlotRequest } from './lane.ts'
import { Lanes } from './lanes.ts'
import { Slots } from './slots.ts'
import { StrayRelease } from './strays.ts'
import { SuspectLane } from './suspect-lane.ts'

/** Endpoints asked for in one transaction. */
const MAX_LANES = 100
/** Lanes kept in memory. */
const MOST_LANES = 20_000
/** How long a failed claim waits before the next. */
const RETRY_MS = 1000
/** How long a suspect waits whose endpoint has no free slot. */
const SUSPECT_RETRY_MS = 5000
/** The timer looks again at least this often. */
const LONGEST_TIMER_MS = 60_000

/**
 * Hands out the slots. Deliveries that find a free slot when they are accepted are put on record as started there and
 * then (`reserve`, `start`); all others wait in the store, and one loop claims them in bounded batches as slots free up.
 * Wake-ups only shorten the wait: `poll` finds everything that is due without them.
 */
export class Dispatcher implements SlotSource {
  readonly #options: DispatcherOptions
  readonly #lanes = new Lanes()
  readonly #suspects: SuspectLane
  /** Claims being run. Not by position: one may come back, with a new number, before its old run has ended. */
  readonly #running = new Set<Claim>()
  readonly #slots: Slots
  readonly #ages: AgeWatch
  /** Reserved for attempts whose record is being made. */
  #reserved = 0
  #pumping = false
  #again = false
  #stopping = false
  readonly #strays: StrayRelease
  #drainedWaiters: (() => void)[] = []
  #cancelTimer = () => {}

  constructor(options: DispatcherOptions) {
    this.#options = options
    this.#slots = new Slots(options.maxInFlight ?? 320)
    this.#ages = new AgeWatch(options.clock, (lanes) => {
      for (const lane of lanes) this.#slots.move(lane, true)
      this.#pump()
    })
    const { clock, onError } = options
    this.#strays = new StrayRelease({
      ...options,
      limit: this.#slots.total * 4,
      running: () => this.#running,
      isQuiet: () => this.#reserved === 0 && !this.#stopping,
      onReleased: () => this.poll(),
      onDone: () => this.#pump(),
    })
    this.#suspects = new SuspectLane({
      clock,
      onError,
      drained: () => this.#drained(),
      onOpen: () => this.#pump(),
      run: (claim) => this.#beginSuspect(claim),
      claim: () => this.#claimSuspect(),
    })
  }

  reserve(endpointId: string): boolean {
    const endpoint = this.#options.cache.peek(endpointId)
    if (!endpoint || !this.#maySend(endpoint)) return false
    const lane = this.#lanes.get(endpointId)
    if (this.#blocked() || this.#slots.free(lane) === 0 || !this.#options.lease.covers(endpoint.timeoutMs)) return false
    // Those that wait already go first.
    if (lane.nextDue !== null && lane.nextDue <= this.#options.clock.now()) return false
    if (lane.free(endpoint, this.#options.clock.monotonic()) === 0) return false
    lane.take(endpoint)
    this.#slots.take(lane)
    this.#reserved++
    return true
  }

  release(endpointId: string): void {
    const lane = this.#lanes.get(endpointId)
    this.#reserved--
    lane.giveBack()
    this.#free(lane)
  }

  start(claims: Claim[], configVersion: number): void {
    this.#options.cache.know(configVersion)
    for (const claim of claims) void this.#begin(claim, this.#lanes.get(claim.endpointId))
  }

  wake(endpointIds: Iterable<string>): void {
    const now = this.#options.clock.now()
    for (const id of endpointIds) {
      const lane = this.#lanes.get(id)
      lane.wakes++
      this.#lanes.dueBy(lane, now, now)
    }
    this.#pump()
  }

  /** A retry of this lane is due then. */
  dueAt(lane: Lane, at: number): void {
    lane.wakes++
    this.#lanes.dueBy(lane, at, this.#options.clock.now())
  }

  wakeSuspects(): void {
    this.#suspects.wake()
  }

  reconcile(): void {
    this.#strays.want()
    // Otherwise when the next of them ends: a claim whose release failed counts as running until then.
    if (this.#running.size === 0) this.#strays.whenQuiet()
  }

  /** Its request has its answer, though that is not on record yet. */
  answered(claim: Claim, lane: Lane): void {
    const isSoon = this.#ages.answered(claim)
    if (isSoon === null) return
    if (isSoon) lane.hasAnswered = true
    this.#slots.move(lane, !isSoon)
    this.#wakeSlow(this.#options.clock.now())
  }

  /** What is known of an endpoint in memory, for those who look. */
  stateOf(endpointId: string): LaneState {
    const lane = this.#lanes.get(endpointId)
    const { inFlight, limit, isSlow } = lane
    return { circuit: lane.circuit.state(this.#options.clock.monotonic()), inFlight, limit, isSlow }
  }

  /** Asks the store what is due, whether or not anybody said so. */
  async poll(): Promise<{ due: number; suspects: boolean }> {
    const { store, clock } = this.#options
    const counts = { due: 0, suspects: false }
    for await (const { due, suspects } of duePages(store)) {
      const now = clock.now()
      for (const { endpointId, nextDue } of due) this.#lanes.dueBy(this.#lanes.get(endpointId), nextDue, now)
      counts.due += due.length
      counts.suspects = suspects
    }
    this.#lanes.prune(MOST_LANES)
    if (counts.suspects) this.#suspects.wake()
    this.#strays.whenQuiet()
    this.#pump()
    return counts
  }

  get stopping(): boolean {
    return this.#stopping
  }

  /** What is in flight now. */
  get inFlight(): number {
    return this.#running.size
  }

  /** Claims nothing more and resolves when nothing is in flight. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#cancelTimer()
    await this.#suspects.stop()
    await this.#drained()
    this.#ages.stop()
  }

  /** Claims a suspect that has room at its endpoint; the place stays reserved until `#beginSuspect`. */
  async #claimSuspect(): Promise<Claim | null> {
    const { store, nodeId, clock, cache } = this.#options
    while (!this.#stopping && this.#options.mayStart?.() !== false) {
      while (this.#strays.underWay !== null) await this.#strays.underWay
      this.#reserved++
      let fits = false
      try {
        const { claim, configVersion } = await store.claimSuspect({ nodeId, now: clock.now() })
        cache.know(configVersion)
        fits = claim !== null && (await this.#hasRoom(claim))
        if (claim === null || fits) return claim
        const { position, number } = claim
        const now = clock.now()
        await store.releaseClaims({ nodeId, now, claims: [{ position, number, dueAt: now + SUSPECT_RETRY_MS }] })
      } catch (error) {
        this.#strays.want()
        throw error
      } finally {
        if (!fits) this.#reserved--
      }
    }
    return null
  }

  /** What did not end while others had to wait may still fill every slot. */
  async #hasRoom({ endpointId }: Claim): Promise<boolean> {
    const endpoint = await this.#options.cache.get(endpointId)
    const lane = this.#lanes.get(endpointId)
    return lane.inFlight < (endpoint?.maxInFlight ?? 1) && this.#slots.free(lane) > 0
  }

  #beginSuspect(claim: Claim): Promise<void> {
    const lane = this.#lanes.get(claim.endpointId)
    lane.inFlight++
    this.#slots.take(lane)
    return this.#begin(claim, lane)
  }

  #blocked(): boolean {
    if (this.#options.mayStart?.() === false) return true
    return this.#stopping || this.#suspects.holding || this.#strays.holdsUp
  }

  /** Runs a claim in the slot reserved for it; the slot is free again when its outcome is on record. */
  async #begin(claim: Claim, lane: Lane): Promise<void> {
    this.#reserved--
    this.#running.add(claim)
    this.#ages.began(claim, lane)
    try {
      await this.#options.run(claim, lane)
    } catch (error) {
      this.#options.onError(error)
      this.reconcile()
    }
    this.answered(claim, lane)
    this.#running.delete(claim)
    lane.inFlight--
    this.#free(lane)
  }

  #free(lane: Lane): void {
    this.#slots.giveBack(lane)
    const now = this.#options.clock.now()
    if (lane.nextDue !== null && lane.nextDue <= now) this.#lanes.dueBy(lane, lane.nextDue, now)
    this.#wakeSlow(now)
    this.#wakeDrained()
    this.#strays.whenQuiet()
    this.#pump()
  }

  #drained(): Promise<void> {
    return this.#slots.taken === 0 ? Promise.resolve() : new Promise((resolve) => this.#drainedWaiters.push(resolve))
  }

  #pump(): void {
    this.#again = true
    if (this.#pumping) return
    this.#pumping = true
    this.#cancelTimer()
    void this.#claimRounds()
  }

  async #claimRounds(): Promise<void> {
    let wait: number | null = null
    try {
      let unseen = 0
      do {
        if (this.#again) unseen = this.#lanes.inLine(this.#options.clock.now()).size
        this.#again = false
        // Lanes that had nothing to claim must not hide those behind them.
        const seen = await this.#claimRound()
        unseen = seen === 0 ? 0 : unseen - seen
      } while (!this.#full() && (this.#again || unseen > 0))
    } catch (error) {
      this.#options.onError(error)
      this.#strays.want()
      wait = RETRY_MS
    }
    this.#pumping = false
    if (!this.#stopping) this.#armTimer(wait)
  }

  #armTimer(wait: number | null): void {
    const { clock } = this.#options
    this.#cancelTimer()
    const due = this.#lanes.nextDue()
    const ms = wait ?? (due === null ? null : Math.min(LONGEST_TIMER_MS, Math.max(1, due - clock.now())))
    this.#cancelTimer = ms === null ? () => {} : clock.after(ms, () => this.#pump())
  }

  /** Nothing can be claimed now; whatever changes that sets the pump going. */
  #full(): boolean {
    return this.#blocked() || this.#slots.isFull
  }

  /** Answers with how many lanes had their turn. */
  async #claimRound(): Promise<number> {
    const { store, clock, cache, nodeId } = this.#options
    const candidates = this.#full() ? [] : await this.#candidates()
    const { requests, seen } = this.#requestSlots(candidates)
    if (requests.length === 0) return seen
    let unused = requests
    try {
      const answer = await store.claimDue({
        nodeId,
        now: clock.now(),
        requests: requests.map(({ lane, limit }) => ({ endpointId: lane.endpointId, limit })),
      })
      cache.know(answer.configVersion)
      const now = clock.now()
      answer.nextDue.forEach(({ nextDue }, index) => {
        const { lane, wakes } = requests[index] as SlotRequest
        this.#lanes.setDue(lane, lane.wakes === wakes ? nextDue : Math.min(nextDue ?? now, now), now)
      })
      const byEndpoint = new Map(requests.map((request) => [request.lane.endpointId, request]))
      for (const claim of answer.claims) {
        const request = byEndpoint.get(claim.endpointId) as SlotRequest
        request.limit--
        void this.#begin(claim, request.lane)
      }
      unused = requests.filter(({ limit }) => limit > 0)
      if (answer.claims.length > 0) this.#again = true
      return seen
    } finally {
      for (const { lane, limit } of unused) for (let slot = 0; slot < limit; slot++) this.#giveBack(lane)
    }
  }

  /** Lanes in line, with their endpoints in memory. */
  async #candidates(): Promise<Lane[]> {
    const { clock, cache } = this.#options
    const lanes = this.#lanes.first(MAX_LANES, clock.now())
    await cache.load(lanes.map(({ endpointId }) => endpointId))
    for (const lane of lanes) this.#lanes.belongsTo(lane, cache.peek(lane.endpointId)?.tenantId ?? lane.tenantId)
    return lanes
  }

  #requestSlots(lanes: Lane[]): { requests: SlotRequest[]; seen: number } {
    const { clock, cache, lease } = this.#options
    const requests: SlotRequest[] = []
    let seen = 0
    const most = this.#slots.ofOneTurn(lanes.length)
    for (const lane of lanes) {
      if (this.#full()) break
      seen++
      this.#lanes.served(lane)
      const endpoint = cache.peek(lane.endpointId)
      // The configuration changed after it was read.
      if (endpoint === undefined) this.#again = true
      if (endpoint === undefined) continue
      if (endpoint === null || !this.#maySend(endpoint)) {
        // Held or ended by the store; a change of the endpoint wakes the lane again.
        this.#lanes.setDue(lane, null, clock.now())
        continue
      }
      if (!lease.covers(endpoint.timeoutMs)) {
        this.#lanes.retryAt(lane, clock.now() + RETRY_MS)
        continue
      }
      const limit = Math.min(lane.free(endpoint, clock.monotonic()), this.#slots.free(lane), most)
      if (limit === 0) {
        this.#standBack(lane, endpoint)
        continue
      }
      for (let slot = 0; slot < limit; slot++) {
        lane.take(endpoint)
        this.#slots.take(lane)
      }
      this.#reserved += limit
      requests.push({ lane, limit, wakes: lane.wakes })
    }
    return { requests, seen }
  }

  #maySend(endpoint: OpenEndpoint): boolean {
    return endpoint.status === 'enabled' && (this.#options.reaches?.(endpoint) ?? endpoint.kind === 'http')
  }

  /** Until its rate or its circuit lets it, a slow slot is free, or what it has in flight ends. */
  #standBack(lane: Lane, endpoint: OpenEndpoint): void {
    const { clock } = this.#options
    const wait = Math.max(lane.waitForRate(endpoint, clock.monotonic()), lane.circuit.waitMs(clock.monotonic()))
    if (wait > 0) return this.#lanes.retryAt(lane, clock.now() + Math.ceil(wait))
    this.#lanes.stepBack(lane)
    if (lane.isSlow) this.#slots.wait(lane)
  }

  #wakeSlow(now: number): void {
    for (const lane of this.#slots.takeWaiting()) {
      if (lane.nextDue !== null) this.#lanes.dueBy(lane, lane.nextDue, now)
    }
  }

  #wakeDrained(): void {
    if (this.#slots.taken === 0) for (const resolve of this.#drainedWaiters.splice(0)) resolve()
  }

  #giveBack(lane: Lane): void {
    this.#reserved--
    lane.giveBack()
    this.#slots.giveBack(lane)
    this.#wakeSlow(this.#options.clock.now())
    this.#wakeDrained()
  }
}
