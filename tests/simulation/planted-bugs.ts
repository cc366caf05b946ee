import type { AcceptBatch, AcceptItem } from '../../packages/server/src/store/accept.ts'
import type { AttemptRecord, RecordResult, SecretRow } from '../../packages/server/src/store/rows.ts'
import { MemoryStore } from '../../packages/server/src/store/memory/memory-store.ts'
import type { AttemptState, DeliveryState, EventState, NodeLife } from '../../packages/server/src/store/memory/state.ts'
import type { Store } from '../../packages/server/src/store/store.ts'
import type { SimulatedNode } from './node.ts'
import type { SimulationOptions } from './simulate.ts'

/** A mistake that somebody could make, and that the simulation has to find. */
export type PlantedBug = Omit<SimulationOptions, 'seed'>

/** The store as one node sees it, with some verbs replaced; `undefined` leaves a verb as it is. */
function replace(store: Store, verbs: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, verb) {
      const replaced = Reflect.get(verbs, verb) as unknown
      if (replaced !== undefined) return replaced
      const own = Reflect.get(target, verb) as unknown
      return typeof own === 'function' ? own.bind(target) : own
    },
  })
}

/** Deliveries are written after the event, in a commit of their own. */
class DualWrite extends MemoryStore {
  readonly #late: (() => void)[] = []

  protected override insertDeliveries(event: EventState, item: AcceptItem, nodeId: string): DeliveryState[] {
    const { targets } = item
    const holder = this.nodes.get(nodeId)
    this.#late.push(() => {
      if (holder !== undefined)
        super.insertDeliveries(
          event,
          { ...item, targets: targets.map((target) => ({ ...target, grant: false })) },
          nodeId,
        )
    })
    return targets.map(() => ({ position: -1 }) as DeliveryState)
  }

  takeLate(): (() => void)[] {
    return this.#late.splice(0)
  }
}

/** The idempotency check is a read before the transaction. */
class CheckThenAct extends MemoryStore {
  protected override findEarlier(): EventState | null {
    return null
  }

  peek(item: AcceptItem): EventState | null {
    return super.findEarlier(item)
  }
}

class BodyNotCompared extends MemoryStore {
  protected override sameBytes(): boolean {
    return true
  }
}

/** Deliveries of an ordered endpoint wait for nobody. */
class EveryTurnAtOnce extends MemoryStore {
  protected override enterLane(): void {}
}

/** The next of a run is due while the one before it waits for its retry. */
class TurnAfterFailure extends MemoryStore {
  protected override retryAt(delivery: DeliveryState, at: number, now: number): void {
    super.retryAt(delivery, at, now)
    if (delivery.lane !== null) this.leaveLane(delivery)
  }
}

class ReserialisedOnRetry extends MemoryStore {
  protected override bodyOf(delivery: DeliveryState): Uint8Array {
    const body = super.bodyOf(delivery)
    return delivery.attemptCount > 1 ? Buffer.from(JSON.stringify(JSON.parse(Buffer.from(body).toString()))) : body
  }
}

/** The attempt is put on record together with its outcome. */
class AttemptAfterOutcome extends MemoryStore {
  readonly #unrecorded = new Map<DeliveryState, AttemptState>()

  protected override startAttempt(delivery: DeliveryState, holder: NodeLife, now: number): void {
    super.startAttempt(delivery, holder, now)
    this.#unrecorded.set(delivery, delivery.attempts.pop() as AttemptState)
  }

  protected override recordOutcome(delivery: DeliveryState, record: AttemptRecord, now: number): void {
    this.#put(delivery)
    super.recordOutcome(delivery, record, now)
  }

  protected override release(delivery: DeliveryState, dueAt: number, now: number): void {
    this.#put(delivery)
    super.release(delivery, dueAt, now)
  }

  protected override endUnknown(delivery: DeliveryState, life: NodeLife, now: number): void {
    this.#put(delivery)
    super.endUnknown(delivery, life, now)
  }

  #put(delivery: DeliveryState): void {
    const attempt = this.#unrecorded.get(delivery)
    if (attempt !== undefined) delivery.attempts.push(attempt)
    this.#unrecorded.delete(delivery)
  }
}

class DroppedAtMax extends MemoryStore {
  protected override end(...input: Parameters<MemoryStore['end']>): void {
    super.end(...input)
    const [delivery, status] = input
    if (status === 'dead_lettered') this.deliveries.delete(delivery.position)
  }
}

class NoFencing extends MemoryStore {
  protected override isHeldBy(delivery: DeliveryState): boolean {
    return delivery.status === 'pending' && delivery.attempts.length > 0
  }
}

/** The outcome is one commit, what follows from it the next. */
class RetryOutsideTransaction extends MemoryStore {
  readonly #late: (() => void)[] = []

  protected override recordOne(nodeId: string, record: AttemptRecord, now: number): RecordResult {
    const delivery = this.deliveries.get(record.position)
    if (delivery === undefined || !this.isHeldBy(delivery, nodeId, record.number)) return 'stale'
    this.recordOutcome(delivery, record, now)
    this.#late.push(() => this.applyVerdict(delivery, record, now))
    return 'recorded'
  }

  takeLate(): (() => void)[] {
    return this.#late.splice(0)
  }
}

class StaleEndpointCache extends MemoryStore {
  protected override isStale(): boolean {
    return false
  }
}

class SecondOldestSecretDropped extends MemoryStore {
  protected override dropOldest(newestFirst: SecretRow[]): SecretRow[] {
    return newestFirst.length < 3
      ? newestFirst
      : newestFirst.filter((_secret, index) => index !== newestFirst.length - 2)
  }
}

/** Whatever is old enough goes. */
class RetentionIgnoresPending extends MemoryStore {
  protected override isNeeded(): boolean {
    return false
  }
}

/** `unknown` counts like a failure. */
class UnknownExhausts extends MemoryStore {
  protected override endUnknown(delivery: DeliveryState, life: NodeLife, now: number): void {
    super.endUnknown(delivery, life, now)
    const cap = this.endpointOf(delivery).row.retrySchedule.length + 1
    if (delivery.attemptCount >= cap)
      this.applyVerdict(delivery, { verdict: { kind: 'dead_letter', reason: 'attempts_exhausted' } }, now)
  }
}

/** Does the second half of what a verb should have done at once, unless the node dies in between. */
function flushedLater(verb: 'acceptEvents' | 'recordAttempts') {
  return (store: Store, node: SimulatedNode): Store =>
    replace(store, {
      [verb]: async (input: never) => {
        const result = await (store[verb] as (input: never) => Promise<unknown>).call(store, input)
        const late = (store as DualWrite | RetryOutsideTransaction).takeLate()
        await node.pause(2, 'between two commits')
        for (const write of late) write()
        return result
      },
    })
}

export const PLANTED_BUGS: Record<string, PlantedBug> = {
  'turns given to whoever is due': { Store: EveryTurnAtOnce },
  'turns given on when an attempt fails': { Store: TurnAfterFailure },
  'dual write': { Store: DualWrite, wrap: flushedLater('acceptEvents') },
  'check-then-act': {
    Store: CheckThenAct,
    wrap: (store, node) =>
      replace(store, {
        async acceptEvents(batch: AcceptBatch) {
          const checking = store as CheckThenAct
          const known = batch.items.map((item) => checking.peek(item))
          await node.pause(1)
          const fresh = batch.items.filter((_item, index) => known[index] === null)
          const results = await store.acceptEvents({ ...batch, items: fresh })
          return batch.items.map((item, index) => {
            const earlier = known[index]
            if (!earlier) return results.shift() as (typeof results)[number]
            const { eventId } = item
            if (Buffer.compare(earlier.fingerprint, item.fingerprint) !== 0) return { kind: 'conflict', eventId }
            const { sequence, recordedAt } = earlier
            return {
              kind: 'duplicate',
              eventId,
              sequence,
              recordedAt,
              deliveries: earlier.deliveriesAtAcceptance,
              warnings: [],
            }
          })
        },
      }),
  },
  'body not compared': { Store: BodyNotCompared },
  're-serialised on retry': { Store: ReserialisedOnRetry },
  'outcome before attempt': { Store: AttemptAfterOutcome },
  'no cap': {
    wrap: (store) =>
      replace(store, {
        recordAttempts: (input) =>
          store.recordAttempts({
            ...input,
            records: input.records.map((record) =>
              record.verdict.kind === 'dead_letter'
                ? { ...record, verdict: { kind: 'retry', at: input.now + 500 } }
                : record,
            ),
          }),
      }),
  },
  'dropped at max': { Store: DroppedAtMax },
  'wall-clock lease': { leaseByWallClock: true },
  'no fencing': { Store: NoFencing },
  'lease shorter than the deadline': {
    wrap: (store) => replace(store, { heartbeat: (input) => store.heartbeat({ ...input, leaseMs: 600 }) }),
  },
  'retry outside the transaction': {
    Store: RetryOutsideTransaction,
    wrap: flushedLater('recordAttempts'),
  },
  'stale endpoint cache': { Store: StaleEndpointCache },
  'rotation drops the second-oldest secret': { Store: SecondOldestSecretDropped },
  'retention ignores what is pending': { Store: RetentionIgnoresPending },
  'crashes alone exhaust the attempts': { Store: UnknownExhausts },
}
