import type { Clock, RandomSource } from '../core/clock.ts'
import type { OpenEndpoint } from '../secrets/open-endpoint.ts'
import type { Claim } from '../store/rows.ts'
import type { Store } from '../store/store.ts'
import type { EndpointCache } from './endpoint-cache.ts'
import type { Lane } from './lane.ts'
import type { NodeLease } from './node-lease.ts'

export interface DispatcherOptions {
  store: Store
  clock: Clock
  random: RandomSource
  nodeId: string
  cache: EndpointCache
  /** Whether something can be sent to an endpoint from here. @default those of kind `http` */
  reaches?(endpoint: Pick<OpenEndpoint, 'id' | 'kind'>): boolean
  lease: NodeLease
  /** Sends one claimed delivery and puts on record what came of it. Never rejects. */
  run(claim: Claim, lane: Lane): Promise<void>
  /** Whether attempts may start now: what they came to has to be put on record. @default always */
  mayStart?(): boolean
  /** Attempts in flight at once over all endpoints. @default 320 */
  maxInFlight?: number
  onError(error: unknown): void
}
