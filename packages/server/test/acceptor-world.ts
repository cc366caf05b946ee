import { createAcceptor } from '../src/accept/acceptor.ts'
import type { SlotSource } from '../src/accept/slot-source.ts'
import type { AcceptBatch, AcceptResult } from '../src/store/accept.ts'
import type { Claim } from '../src/store/rows.ts'
import { FakeClock, fakeRandom, gate } from './fake-clock.ts'
import { scriptedStore } from './scripted-store.ts'

export interface Commit {
  batch: AcceptBatch
  /** What an accepted item of this batch is answered with. */
  accepted(index: number, input?: { sequence?: number }): AcceptResult
  /** Accepts all of it. */
  accept(input?: { sequence?: number }): void
  answer(results: AcceptResult[]): void
  fail(error: unknown): void
}

/** Slots that the test gives out; every endpoint has plenty unless it says otherwise. */
class FakeSlots implements SlotSource {
  readonly free = new Map<string, number>()
  readonly asked: string[] = []
  readonly starts: { claims: Claim[]; configVersion: number }[] = []
  readonly woken: string[][] = []
  readonly log: string[] = []
  readonly #reserved = new Map<string, number>()

  reserve(endpointId: string): boolean {
    this.asked.push(endpointId)
    if ((this.free.get(endpointId) ?? Infinity) <= this.#of(endpointId)) return false
    this.#reserved.set(endpointId, this.#of(endpointId) + 1)
    return true
  }

  release(endpointId: string): void {
    this.log.push(`release ${endpointId}`)
    this.#reserved.set(endpointId, this.#of(endpointId) - 1)
  }

  start(claims: Claim[], configVersion: number): void {
    this.starts.push({ claims, configVersion })
    for (const { endpointId } of claims) this.#reserved.set(endpointId, this.#of(endpointId) - 1)
  }

  reconcile(): void {
    this.log.push('reconcile')
  }

  wake(endpointIds: Iterable<string>): void {
    this.woken.push([...endpointIds])
  }

  /** Slots that nobody has used or given back. */
  reserved(): number {
    return [...this.#reserved.values()].reduce((sum, count) => sum + count, 0)
  }

  #of(endpointId: string): number {
    return this.#reserved.get(endpointId) ?? 0
  }
}

export interface WorldInput {
  endpoints?: number
  configVersion?: number
  ordered?: string[]
}

/** An acceptor whose store answers when the test says so. Every event matches every endpoint. */
export function acceptorWorld(input: WorldInput = {}) {
  let world = { endpoints: 2, configVersion: 1, ordered: [] as string[], ...input }
  let broken: Error | null = null
  const clock = new FakeClock()
  const slots = new FakeSlots()
  const commits: Commit[] = []
  const { store } = scriptedStore({
    async loadMatchSet() {
      if (broken !== null) throw broken
      const entries = Array.from({ length: world.endpoints }, (_, index) => ({
        endpointId: `ep_${index}`,
        eventTypes: [],
        filter: null,
        format: 'runbell' as const,
        dataClasses: [],
        schemaVersions: {},
        ordering: world.ordered.includes(`ep_${index}`) ? ('run' as const) : ('none' as const),
      }))
      return { configVersion: world.configVersion, limits: { eventsPerSecond: null, maxPending: null }, entries }
    },
    acceptEvents(batch) {
      const answer = gate<AcceptResult[]>()
      const commit = commitOf(batch, answer.open, answer.fail)
      commits.push(commit)
      return answer.promise
    },
  })
  const acceptor = createAcceptor({ store, clock, random: fakeRandom(), nodeId: 'node-a', slots })
  return {
    ...{ acceptor, clock, slots, commits },
    change: (changed: WorldInput) => void (world = { ...world, ...changed }),
    breakMatching: (error: Error | null) => void (broken = error),
    /** Slots left over when all is done: none. */
    resolved: () => slots.reserved(),
  }
}

function commitOf(batch: AcceptBatch, open: (results: AcceptResult[]) => void, fail: (error: unknown) => void): Commit {
  const accepted = (index: number, { sequence = index + 1 } = {}): AcceptResult => ({
    kind: 'accepted',
    position: index + 1,
    sequence,
    warnings: [],
    recordedAt: batch.recordedAt,
    bodySha256: new Uint8Array(32),
    deliveryPositions: (batch.items[index]?.targets ?? []).map((_, target) => 1000 * (index + 1) + target + 1),
  })
  return {
    batch,
    accepted,
    accept: (input) => open(batch.items.map((_, index) => accepted(index, input))),
    answer: open,
    fail,
  }
}
