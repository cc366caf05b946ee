import { subscribes } from '../../packages/server/src/core/match.ts'
import type { AcceptResult } from '../../packages/server/src/store/accept.ts'
import type { NodeLife } from '../../packages/server/src/store/memory/state.ts'
import type { MemoryStore } from '../../packages/server/src/store/memory/memory-store.ts'

/** What happened at the moment an event was committed. */
export interface Acceptance {
  eventId: string
  tenantId: string
  fingerprint: Uint8Array
  /** Endpoints that got a delivery. */
  matched: string[]
  /** Endpoints that should have, by the configuration at that moment. */
  expected: string[]
  deliveryIds: string[]
}

export type StoreClass = new (options: { clock: () => number }) => MemoryStore

/** A store that tells the invariants what it did when it did it. */
export function observe(Base: StoreClass) {
  return class ObservedStore extends Base {
    readonly acceptances: Acceptance[] = []
    /** As with a database that only one process can have: whoever joined before is dead. */
    exclusive = false

    protected override isDead(life: NodeLife): boolean {
      return this.exclusive ? life !== [...this.nodes.values()].at(-1) : super.isDead(life)
    }

    protected override insert(...args: Parameters<MemoryStore['insert']>): AcceptResult {
      const [item] = args
      const result = super.insert(...args)
      const expected = [...this.endpoints.values()]
        .filter(({ row, deletedAt }) => deletedAt === null && row.status !== 'disabled')
        .filter(({ row }) => row.tenantId === item.tenantId && row.mode === item.mode)
        .filter(({ row }) => subscribes(row.eventTypes, item.type))
        .map(({ row }) => row.id)
      this.acceptances.push({
        eventId: item.eventId,
        tenantId: item.tenantId,
        fingerprint: item.fingerprint,
        matched: item.targets.map(({ endpointId }) => endpointId).sort(),
        expected: expected.sort(),
        deliveryIds: item.targets.map(({ deliveryId }) => deliveryId),
      })
      return result
    }

    /** Whether an attempt with this number is on record now. */
    hasAttempt(deliveryId: string, number: number): boolean {
      const delivery = this.deliveriesById.get(deliveryId)
      return delivery?.attempts.some((attempt) => attempt.number === number) ?? false
    }

    /** Deliveries that have not ended. */
    openCount(): number {
      return this.allOpen().length
    }

    deadlineOf(deliveryId: string): number | null {
      return this.deliveriesById.get(deliveryId)?.event.deadline ?? null
    }
  }
}

export type ObservedStore = InstanceType<ReturnType<typeof observe>>
