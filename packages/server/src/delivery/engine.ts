import type { Transport } from '../core/attempt-outcome.ts'
import type { Clock, RandomSource } from '../core/clock.ts'
import { DAY } from '../core/schedule.ts'
import type { SlotSource } from '../accept/slot-source.ts'
import type { Claim, EndpointRow } from '../store/rows.ts'
import type { Store } from '../store/store.ts'
import { signedHeaders, type Signer } from './attempt.ts'
import { Dispatcher } from './dispatcher.ts'
import { EndpointCache, type OpenEndpoints } from './endpoint-cache.ts'
import type { LaneState } from './lane.ts'
import { createNodeLease, DEFAULT_LEASE_MS } from './node-lease.ts'
import { Recorder } from './recorder.ts'
import type { Relay } from './relay.ts'
import { createRescuer } from './rescuer.ts'
import { createDeliveryRunner, type AttemptLine } from './run-delivery.ts'
import { createSendOnce, type SendOnce, type SentOnce } from './send-once.ts'
import { createService, type Service } from './service.ts'

export interface EngineOptions {
  store: Store
  clock: Clock
  random: RandomSource
  transport: Transport
  /** The way to endpoints of kind `relay`; without it nothing is sent to them. */
  relay?: Relay
  sign: Signer
  /** Opens what is sealed of endpoints. */
  open: OpenEndpoints
  nodeId: string
  userAgent: string
  /** `false`: nothing is delivered here; others that share the database do it. @default true */
  delivers?: boolean
  /** Whether attempts may start now. @default always */
  mayStart?(): boolean
  /** @default 320 */
  maxInFlight?: number
  /** @default 90000 */
  leaseMs?: number
  /** How often to look for due deliveries nobody announced. @default 5000 */
  pollMs?: number
  /** One line for each attempt, for the log. */
  onAttempt?(line: AttemptLine): void
  onError(error: unknown): void
}

export type SignedDelivery = Pick<Claim, 'eventId' | 'deliveryId' | 'number' | 'body'>

export interface Engine {
  slots: SlotSource
  wake(change: { endpointIds?: Iterable<string>; configVersion?: number }): void
  /** Joins, takes over what a dead node left, and begins to send. */
  start(): Promise<void>
  /** Claims nothing more, waits for what is in flight, and leaves. Resolves within the longest deadline. */
  stop(): Promise<void>
  inFlight(): number
  /** What is known of an endpoint in memory of this node. */
  stateOf(endpointId: string): LaneState
  /** Sends something to an endpoint that is nobody's delivery, and puts nothing on record. @throws StoreUnavailable */
  sendOnce(input: SendOnce): Promise<SentOnce>
  /** The signed headers of each, for whoever fetches them; `null`: they cannot be signed now. @throws StoreUnavailable */
  signAll(
    endpoint: EndpointRow,
    deliveries: readonly SignedDelivery[],
  ): Promise<[name: string, value: string][][] | null>
  /** `null`: the store answers. Otherwise what is wrong, in words. */
  trouble(): string | null
}

/** Pending deliveries of an endpoint disabled this long end `cancelled` (details 15). */
const DISABLED_HOLD_MS = 7 * DAY
const SWEEP_MS = 1000
const SWEEP_BATCH = 5000

/** Where nothing is delivered: everything that is accepted waits for those who do. */
const NO_SLOTS: SlotSource = {
  reserve: () => false,
  release: () => {},
  start: () => {},
  reconcile: () => {},
  wake: () => {},
}

/** Puts delivery together: everything between a committed delivery and its end. */
export function createEngine(options: EngineOptions): Engine {
  const { store, clock, random, nodeId, onError, leaseMs = DEFAULT_LEASE_MS, pollMs = 5000, delivers = true } = options
  const cache = new EndpointCache(store, options.open)
  const onConfigVersion = (version: number) => cache.know(version)
  const lease = createNodeLease({ store, clock, nodeId, leaseMs, onConfigVersion, onError })
  const recorder = new Recorder({
    store,
    clock,
    random,
    nodeId,
    onConfigVersion,
    onTrouble: onError,
    onStray: () => dispatcher.reconcile(),
  })
  const run = createDeliveryRunner({
    ...options,
    cache,
    lease,
    recorder,
    stopping: () => dispatcher.stopping,
    answered: (claim, lane) => dispatcher.answered(claim, lane),
    onRetry: (lane, at) => dispatcher.dueAt(lane, at),
  })
  const { maxInFlight, mayStart } = options
  const dispatcher = new Dispatcher({
    ...{ store, clock, random, nodeId, cache, lease, run, onError },
    reaches: ({ id, kind }) => kind === 'http' || (kind === 'relay' && options.relay?.isOpen(id) === true),
    ...(maxInFlight === undefined ? {} : { maxInFlight }),
    ...(mayStart === undefined ? {} : { mayStart }),
  })
  const rescuer = createRescuer({ store, clock, nodeId, onError, onRescued: () => dispatcher.wakeSuspects() })
  const poller = createService({ clock, intervalMs: pollMs, runOnce: () => dispatcher.poll(), onError })
  const sweeper = createService({ clock, intervalMs: SWEEP_MS, runOnce: () => sweep(store, clock), onError })
  const services: Service[] = delivers ? [lease, rescuer, poller, sweeper] : [lease]

  return {
    slots: delivers ? dispatcher : NO_SLOTS,
    wake({ endpointIds, configVersion }) {
      if (configVersion !== undefined) cache.know(configVersion)
      if (endpointIds === undefined || !delivers) return
      dispatcher.wake(endpointIds)
      // What was quarantined and is replayed waits with the suspects, whom only a look into the store finds.
      poller.runOnce().catch(onError)
    },
    async start() {
      await store.joinNode({ nodeId, leaseMs })
      await lease.runOnce()
      if (delivers) await rescuer.runOnce()
      for (const service of services) service.start()
    },
    async stop() {
      await Promise.all([rescuer.stop(), poller.stop(), sweeper.stop()])
      await dispatcher.stop()
      await lease.stop()
      await store.leaveNode({ nodeId, highWater: clock.now() })
    },
    inFlight: () => dispatcher.inFlight,
    stateOf: (endpointId) => dispatcher.stateOf(endpointId),
    sendOnce: createSendOnce(options),
    signAll: (endpoint, deliveries) => signAll(endpoint, deliveries, options),
    trouble() {
      const silentMs = lease.sinceRenewal()
      if (silentMs < leaseMs / 6 && !lease.failing()) return null
      return `the store has not answered for ${Math.round(silentMs / 1000)} s`
    },
  }
}

async function signAll(
  endpoint: EndpointRow,
  deliveries: readonly SignedDelivery[],
  options: EngineOptions,
): Promise<[name: string, value: string][][] | null> {
  const [opened] = await options.open([endpoint])
  if (opened === undefined) return null
  const signed = deliveries.map((delivery) => signedHeaders(delivery, opened, options))
  return signed.some((headers) => typeof headers === 'string') ? null : (signed as [string, string][][])
}

/** Ends what may not be sent any more, in bounded steps. */
async function sweep(store: Store, clock: Clock): Promise<{ expired: number; cancelled: number }> {
  const counts = { expired: 0, cancelled: 0 }
  for (;;) {
    const now = clock.now()
    const expired = await store.expireDeliveries({ now, limit: SWEEP_BATCH })
    const cancelled = await store.cancelHeld({ now, disabledBefore: now - DISABLED_HOLD_MS, limit: SWEEP_BATCH })
    counts.expired += expired
    counts.cancelled += cancelled
    if (expired < SWEEP_BATCH && cancelled < SWEEP_BATCH) return counts
  }
}
