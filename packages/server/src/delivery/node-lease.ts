import type { Clock } from '../core/clock.ts'
import type { Store } from '../store/store.ts'
import { createService, type Service } from './service.ts'

/** Longer than the longest attempt (60 s), so that a living node's claims are never taken from it. */
export const DEFAULT_LEASE_MS = 90_000
/** Between the end of an attempt and the end of the lease there is time to put the outcome on record. */
const MARGIN_MS = 5000

export interface NodeLease extends Service<{ alive: boolean }> {
  /** Whether an attempt of this length, started now, ends safely before the lease does. */
  covers(attemptMs: number): boolean
  /** Ms since the store last answered; for readiness. */
  sinceRenewal(): number
  /** The last try to renew it failed. */
  failing(): boolean
}

export interface NodeLeaseOptions {
  store: Store
  clock: Clock
  nodeId: string
  leaseMs: number
  onConfigVersion(version: number): void
  onError(error: unknown): void
}

/**
 * Keeps the node's lease: while it lasts, its claims are its own. The lease is counted from before the request that
 * renewed it was sent, on the monotonic clock, so that the node stops before the store lets others in.
 */
export function createNodeLease(options: NodeLeaseOptions): NodeLease {
  const { store, clock, nodeId, leaseMs, onConfigVersion, onError } = options
  let renewedAt = -Infinity
  let failing = false

  async function runOnce(): Promise<{ alive: boolean }> {
    try {
      const state = await renew()
      failing = false
      return state
    } catch (error) {
      failing = true
      throw error
    }
  }

  async function renew(): Promise<{ alive: boolean }> {
    const sentAt = clock.monotonic()
    let state = await store.heartbeat({ nodeId, leaseMs, highWater: clock.now() })
    const alive = state.alive
    if (!alive) state = await store.joinNode({ nodeId, leaseMs })
    renewedAt = sentAt
    onConfigVersion(state.configVersion)
    return { alive }
  }

  return {
    ...createService({ clock, intervalMs: leaseMs / 18, runOnce, onError }),
    failing: () => failing,
    sinceRenewal: () => clock.monotonic() - renewedAt,
    covers: (attemptMs) => clock.monotonic() + attemptMs + MARGIN_MS < renewedAt + leaseMs,
  }
}
