import type { Clock } from '../core/clock.ts'
import type { Store } from '../store/store.ts'
import { createService, type Service } from './service.ts'

export interface RescuerOptions {
  store: Store
  clock: Clock
  nodeId: string
  /** @default 5000 */
  intervalMs?: number
  /** Suspects wait to be sent. */
  onRescued(count: number): void
  onError(error: unknown): void
}

/** Deliveries taken over in one transaction. */
const BATCH = 1000

/** Takes over what dead nodes held: their attempts become `unknown`, their deliveries pending (guarantee G17). */
export function createRescuer(options: RescuerOptions): Service<{ rescued: number; ended: number }> {
  const { store, clock, nodeId, intervalMs = 5000, onRescued, onError } = options

  async function runOnce() {
    const counts = { rescued: 0, ended: 0 }
    for (;;) {
      const { rescued, ended, more } = await store.rescueClaims({ nodeId, now: clock.now(), limit: BATCH })
      counts.rescued += rescued.length
      counts.ended += ended
      if (rescued.length > 0) onRescued(rescued.length)
      if (!more) return counts
    }
  }

  return createService({ clock, intervalMs, runOnce, onError })
}
