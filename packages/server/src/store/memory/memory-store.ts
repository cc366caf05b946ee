import type { AttemptRow, DeliveryRow, EndpointRow, EventRow } from '../rows.ts'
import type { Store } from '../store.ts'
import { copy } from './copy.ts'
import { MemoryBulkReplays } from './bulk-replays.ts'

/** A delivery with what no reader sees but an invariant has to know. */
export interface DeliverySnapshot extends DeliveryRow {
  deadline: number | null
  cycleStart: number
  /** The node that has it in flight. */
  heldBy: string | null
  suspect: boolean
  crashesAlone: number
}

export interface AttemptSnapshot extends AttemptRow {
  deliveryId: string
  deliveryPosition: number
  /** Who started it. */
  nodeId: string
}

/** Everything in commit order, as plain data that shares nothing with the store. */
export interface StoreSnapshot {
  events: EventRow[]
  deliveries: DeliverySnapshot[]
  attempts: AttemptSnapshot[]
  /** Deleted ones included. */
  endpoints: (EndpointRow & { deletedAt: number | null })[]
  configVersion: number
  highWater: number
}

/**
 * A store in memory, for simulations and tests. It has no I/O and no clock of its own; several nodes may share one,
 * as they share a database. Each class below adds one concern: state, nodes, acceptance, claims, records, reading,
 * requests, endpoints, keys, audit. Their protected methods are where a simulation plants a bug, by overriding one.
 */
export class MemoryStore extends MemoryBulkReplays implements Store {
  /** Nothing to end: what other nodes share stays usable. */
  async close(): Promise<void> {}

  snapshot(): StoreSnapshot {
    const deliveries = [...this.deliveries.values()]
    return copy({
      events: [...this.events.values()].map((event) => this.eventRow(event)),
      deliveries: deliveries.map((delivery) => ({
        ...this.deliveryRow(delivery),
        deadline: delivery.event.deadline,
        cycleStart: delivery.cycleStart,
        heldBy: delivery.holder?.nodeId ?? null,
        suspect: delivery.suspect,
        crashesAlone: delivery.crashesAlone,
      })),
      attempts: deliveries.flatMap((delivery) =>
        delivery.attempts.map((attempt) => ({
          ...attempt,
          deliveryId: delivery.id,
          deliveryPosition: delivery.position,
        })),
      ),
      endpoints: [...this.endpoints.values()].map(({ row, deletedAt }) => ({ ...row, deletedAt })),
      configVersion: this.configVersion,
      highWater: this.highWater,
    })
  }
}
