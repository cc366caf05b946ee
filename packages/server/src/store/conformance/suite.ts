import type { DataClass } from '@runbell/sdk/contract'
import { afterEach, beforeEach, expect } from 'vitest'
import type { AcceptItem, AcceptResult } from '../accept.ts'
import type { AttemptRecord, AttemptRow, Claim, DeliveryRow, EndpointRow, RecordResult, Rescued } from '../rows.ts'
import type { Store } from '../store.ts'
import {
  acceptItem,
  attemptRecord,
  endpointRow,
  LEASE_MS,
  LIVE,
  MINUTE,
  T0,
  target,
  type ItemInput,
} from './builders.ts'

/** One store for one test, empty at the start. */
export interface StoreHarness {
  store: Store
  /** Makes the clock that measures leases go on by so much. Needed where `leases` is true. */
  advanceLease?(ms: number): void | Promise<void>
  /** Closes the store and opens it again on the same data, as a new process would. */
  reopen?(): Promise<Store>
  cleanup(): Promise<void>
}

export interface StoreCapabilities {
  /**
   * Several nodes may work at once, and a lease tells which of them live. `false`: only one process can have the
   * data, so every node but the one that asks is dead at once.
   */
  leases: boolean
}

/** The node that every test starts with. */
export const FIRST_NODE = 'node-a'

type Accepted = Extract<AcceptResult, { kind: 'accepted' }>

export interface OneDelivery {
  item: AcceptItem
  event: Accepted
  endpointId: string
  deliveryId: string
  /** Position of the delivery. */
  position: number
}

/** What the tests of every concern share: the store of the present test, and short ways to bring it into a state. */
export class StoreSuite {
  readonly capabilities: StoreCapabilities
  harness: StoreHarness | null = null
  #reopened: Store | null = null

  constructor(makeStore: () => Promise<StoreHarness>, capabilities: StoreCapabilities) {
    this.capabilities = capabilities
    beforeEach(async () => {
      this.harness = await makeStore()
      this.#reopened = null
      await this.join(FIRST_NODE)
    })
    afterEach(async () => {
      await this.harness?.cleanup()
      this.harness = null
    })
  }

  get store(): Store {
    if (this.harness === null) throw new Error('there is a store only while a test runs')
    return this.#reopened ?? this.harness.store
  }

  /** Opens the same data again; `false` where the store cannot. */
  async reopen(): Promise<boolean> {
    if (this.harness?.reopen === undefined) return false
    this.#reopened = await this.harness.reopen()
    return true
  }

  async join(...nodeIds: string[]): Promise<void> {
    for (const nodeId of nodeIds) {
      expect((await this.store.joinNode({ nodeId, leaseMs: LEASE_MS })).alive).toBe(true)
    }
  }

  async endpoint(input: Partial<EndpointRow> = {}): Promise<EndpointRow> {
    const endpoint = endpointRow(input)
    expect(await this.store.createEndpoint({ endpoint, maxPerTenant: 500 })).not.toBeNull()
    return endpoint
  }

  async configVersion(): Promise<number> {
    return (await this.store.loadMatchSet({ tenantId: 'default', mode: 'live' })).configVersion
  }

  /** Accepts the items as of the present config version. */
  async accept(items: AcceptItem[], { nodeId = FIRST_NODE, at = T0, budget = 1000 } = {}): Promise<AcceptResult[]> {
    const configVersion = await this.configVersion()
    const current = items.map((item) => ({ ...item, configVersion }))
    return this.store.acceptEvents({ nodeId, recordedAt: at, runEventBudget: budget, items: current })
  }

  async acceptOne(item: AcceptItem, options: { nodeId?: string; at?: number } = {}): Promise<Accepted> {
    const [result] = await this.accept([item], options)
    if (result?.kind !== 'accepted') throw new Error(`not accepted: ${result?.kind}`)
    return result
  }

  /** Changes what an endpoint may receive. */
  async grant(endpointId: string, dataClasses: DataClass[], now = T0): Promise<void> {
    const change = { kind: 'patch', patch: { dataClasses } } as const
    expect(await this.store.changeEndpoint({ scope: LIVE, endpointId, change, now })).not.toBeNull()
  }

  /** An accepted event with one delivery, to a new endpoint unless told which. */
  async delivery(
    input: { endpointId?: string; grant?: boolean; nodeId?: string; at?: number; item?: ItemInput } = {},
  ): Promise<OneDelivery> {
    const endpointId = input.endpointId ?? (await this.endpoint()).id
    const one = target(endpointId, input.grant ?? false)
    const item = acceptItem({ ...input.item, targets: [one] })
    const event = await this.acceptOne(item, { nodeId: input.nodeId ?? FIRST_NODE, at: input.at ?? T0 })
    return { item, event, endpointId, deliveryId: one.deliveryId, position: event.deliveryPositions[0] as number }
  }

  async claim(nodeId: string, endpointId: string, { now = T0, limit = 100 } = {}): Promise<Claim[]> {
    const { claims } = await this.store.claimDue({ nodeId, now, requests: [{ endpointId, limit }] })
    return claims
  }

  async claimOne(nodeId: string, endpointId: string, now = T0): Promise<Claim> {
    const claims = await this.claim(nodeId, endpointId, { now })
    expect(claims).toHaveLength(1)
    return claims[0] as Claim
  }

  async record(nodeId: string, record: AttemptRecord, now = T0 + 50): Promise<RecordResult> {
    const { results } = await this.store.recordAttempts({ nodeId, now, records: [record] })
    expect(results).toHaveLength(1)
    return results[0] as RecordResult
  }

  /** Claims the one due delivery of the endpoint and dead-letters it. */
  async deadLetter(nodeId: string, endpointId: string, now = T0): Promise<Claim> {
    const claim = await this.claimOne(nodeId, endpointId, now)
    const verdict = { kind: 'dead_letter', reason: 'attempts_exhausted' } as const
    const record = attemptRecord(claim, { outcome: 'timeout', statusCode: null, excerpt: null, verdict })
    expect(await this.record(nodeId, record, now)).toBe('recorded')
    return claim
  }

  async row(deliveryId: string, scope = LIVE): Promise<DeliveryRow> {
    const row = await this.store.findDelivery({ scope, deliveryId })
    if (row === null) throw new Error(`there is no delivery ${deliveryId}`)
    return row
  }

  /** Lets the leases of all nodes run out, where there are leases, then brings a new node in. */
  async crashAll(rescuer: string): Promise<void> {
    if (this.capabilities.leases) await this.advanceLease(LEASE_MS + 1)
    await this.join(rescuer)
  }

  async advanceLease(ms: number): Promise<void> {
    if (this.harness?.advanceLease === undefined) throw new Error('a store with leases must offer advanceLease')
    await this.harness.advanceLease(ms)
  }

  /** Rescues until nothing is left; no call may do more than `limit`. */
  async rescueAll(nodeId: string, { now = T0 + MINUTE, limit = 100 } = {}): Promise<Omit<Rescued, 'more'>> {
    const all: Omit<Rescued, 'more'> = { rescued: [], ended: 0 }
    for (let more = true; more;) {
      const part = await this.store.rescueClaims({ nodeId, now, limit })
      expect(part.rescued.length + part.ended).toBeLessThanOrEqual(limit)
      all.rescued.push(...part.rescued)
      all.ended += part.ended
      more = part.more
    }
    return all
  }

  async attempts(deliveryId: string): Promise<AttemptRow[]> {
    return (await this.store.listAttempts({ scope: LIVE, deliveryId }))?.attempts ?? []
  }

  async claimSuspect(nodeId: string, now = T0 + MINUTE): Promise<Claim | null> {
    return (await this.store.claimSuspect({ nodeId, now })).claim
  }

  /** The endpoints that `findDueEndpoints` reports, on one page. */
  async dueEndpoints(): Promise<{ endpointId: string; nextDue: number }[]> {
    return (await this.store.findDueEndpoints({ after: null, limit: 1000 })).due
  }
}
