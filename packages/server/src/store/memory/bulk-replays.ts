import {
  noCounts,
  takeStep,
  type Advanced,
  type BulkReplayRow,
  type HeldReplay,
  type ReplayedPlace,
} from '../bulk-replays.ts'
import type { CursorPage } from '../rows.ts'
import type { Store } from '../store.ts'
import type { Obstacle } from '../surveys.ts'
import { pageOf } from './reading.ts'
import type { NodeLife } from './state.ts'
import { MemoryNotices } from './notices.ts'

type Input<Verb extends keyof Store> = Parameters<Store[Verb]>[0]
type Output<Verb extends keyof Store> = ReturnType<Store[Verb]>

interface ReplayState {
  row: BulkReplayRow
  holder: NodeLife | null
  fence: number
  /** Positions of deliveries whose end has not been counted. */
  items: Set<number>
}

/** Bulk replays. */
export class MemoryBulkReplays extends MemoryNotices {
  readonly #replays = new Map<number, ReplayState>()

  createBulkReplay(input: Input<'createBulkReplay'>): Output<'createBulkReplay'> {
    return this.verb('createBulkReplay', input, ({ replay, maxRunning }) => {
      const { mode, tenantId, createdAt } = replay
      const running = this.#running().filter(({ row }) => row.mode === mode && row.tenantId === tenantId)
      if (running.length >= maxRunning) return null
      const row: BulkReplayRow = {
        ...{ ...replay, position: this.nextPosition(), status: 'running', counts: noCounts(), cursor: 0 },
        ...{ updatedAt: createdAt, endedAt: null },
      }
      this.#replays.set(row.position, { row, holder: null, fence: 0, items: new Set() })
      return row
    })
  }

  findBulkReplay(input: Input<'findBulkReplay'>): Output<'findBulkReplay'> {
    return this.verb('findBulkReplay', input, (ask) => this.#find(ask)?.row ?? null)
  }

  listBulkReplays(input: Input<'listBulkReplays'>): Promise<CursorPage<BulkReplayRow>> {
    return this.verb('listBulkReplays', input, ({ scope, page }) => {
      const rows = [...this.#replays.values()].map(({ row }) => row)
      return pageOf(
        rows.filter((row) => this.sees(scope, row)),
        page,
        (row) => row,
      )
    })
  }

  cancelBulkReplay(input: Input<'cancelBulkReplay'>): Output<'cancelBulkReplay'> {
    return this.verb('cancelBulkReplay', input, ({ now, ...ask }) => {
      const row = this.#find(ask)?.row
      if (row?.status !== 'running') return null
      return Object.assign(row, { status: 'cancelled' as const, updatedAt: now, endedAt: now })
    })
  }

  claimBulkReplays(input: Input<'claimBulkReplays'>): Promise<HeldReplay[]> {
    return this.verb('claimBulkReplays', input, ({ nodeId, limit }) => {
      const life = this.lifeOf(nodeId)
      const own = this.#running().filter(({ holder }) => holder === life)
      const free = this.#running().filter(({ holder }) => holder === null || (holder !== life && this.isDead(holder)))
      const taken = free.slice(0, Math.max(0, limit - own.length))
      for (const state of taken) Object.assign(state, { holder: life, fence: state.fence + 1 })
      return [...own.slice(0, limit), ...taken].map(({ row, fence }) => ({ row, fence }))
    })
  }

  advanceBulkReplay(input: Input<'advanceBulkReplay'>): Output<'advanceBulkReplay'> {
    return this.verb('advanceBulkReplay', input, ({ replay, fence, now, look, limit }) => {
      const state = this.#held(replay, fence)
      if (state === null) return null
      const { asked, cursor: after } = state.row
      const found = this.walkDeliveries(state.row, asked.filter, { after, upTo: asked.upTo, limit: look })
      const { taken, cursor } = takeStep(found, { look, limit })
      const step = stepOf(state)
      for (const { obstacle, state: delivery } of taken) {
        if (obstacle !== null) {
          step.skip(obstacle)
          continue
        }
        this.lookAgainAtAttempts(delivery.event)
        this.reopen(delivery, now)
        step.took(delivery.position, delivery.endpointId)
      }
      return step.end(cursor, now)
    })
  }

  deliverBulkReplay(input: Input<'deliverBulkReplay'>): Output<'deliverBulkReplay'> {
    return this.verb('deliverBulkReplay', input, ({ replay, fence, now, from, to, items, configVersion }) => {
      const state = this.#held(replay, fence)
      const endpointId = state?.row.asked.toEndpointId ?? null
      if (state === null || endpointId === null || state.row.cursor !== from) return null
      if (configVersion !== this.configVersion) return 'stale'
      const step = stepOf(state)
      for (const { eventPosition, deliveryId: newDeliveryId, body } of items) {
        const event = this.events.get(eventPosition)
        const isThere = event?.deliveries.some((delivery) => delivery.endpointId === endpointId) ?? false
        if (event === undefined || event.payloadGone !== null) step.skip('payload_gone')
        else if (isThere) step.skip('already_there')
        else {
          this.lookAgainAtAttempts(event)
          const made = this.deliverNow(event, { kind: 'endpoint', endpointId, body }, { newDeliveryId, now })
          if (!Array.isArray(made)) step.skip(made === 'policy_changed' ? 'policy_changed' : 'endpoint_deleted')
          else step.took(this.deliveriesById.get(newDeliveryId)?.position as number, endpointId)
        }
      }
      return step.end(to, now)
    })
  }

  settleBulkReplays(input: Input<'settleBulkReplays'>): Promise<{ next: ReplayedPlace | null }> {
    return this.verb('settleBulkReplays', input, ({ after, limit }) => {
      const places = [...this.#replays.values()].flatMap(({ row, items }) =>
        [...items].toSorted((a, b) => a - b).map((delivery) => ({ replay: row.position, delivery })),
      )
      const { replay, delivery } = after ?? { replay: 0, delivery: 0 }
      const ahead = places.filter(
        (place) => place.replay > replay || (place.replay === replay && place.delivery > delivery),
      )
      const step = ahead.slice(0, limit)
      for (const place of step) this.#settle(place)
      return { next: step.length < limit ? null : (step.at(-1) ?? null) }
    })
  }

  pruneBulkReplays(input: Input<'pruneBulkReplays'>): Promise<number> {
    return this.verb('pruneBulkReplays', input, ({ mode, endedBefore, limit }) => {
      const old = [...this.#replays.values()].filter(
        ({ row, items }) => row.mode === mode && (row.endedAt ?? Infinity) < endedBefore && items.size === 0,
      )
      const gone = old.slice(0, limit)
      for (const { row } of gone) this.#replays.delete(row.position)
      return gone.length
    })
  }

  #settle({ replay, delivery }: ReplayedPlace): void {
    const state = this.#replays.get(replay) as ReplayState
    const status = this.deliveries.get(delivery)?.status ?? 'removed'
    if (status === 'pending') return
    state.items.delete(delivery)
    state.row.counts.outcomes[status] += 1
  }

  #running(): ReplayState[] {
    return [...this.#replays.values()].filter(({ row }) => row.status === 'running')
  }

  #held(replay: number, fence: number): ReplayState | null {
    const state = this.#replays.get(replay)
    return state?.row.status === 'running' && state.fence === fence ? state : null
  }

  #find({ scope, replayId }: Input<'findBulkReplay'>): ReplayState | undefined {
    return [...this.#replays.values()].find(({ row }) => row.id === replayId && this.sees(scope, row))
  }
}

/** What one transaction of a bulk replay adds to it. */
function stepOf({ row, items }: ReplayState) {
  const endpointIds = new Set<string>()
  const before = row.counts.replayed
  return {
    skip: (obstacle: Obstacle) => void (row.counts.skipped[obstacle] += 1),
    took(delivery: number, endpointId: string) {
      row.counts.replayed += 1
      endpointIds.add(endpointId)
      items.add(delivery)
    },
    end(cursor: number | null, now: number): Advanced {
      Object.assign(row, { cursor: cursor ?? row.asked.upTo, updatedAt: now })
      if (cursor === null) Object.assign(row, { status: 'completed', endedAt: now })
      return { row, replayed: row.counts.replayed - before, endpointIds: [...endpointIds] }
    },
  }
}
