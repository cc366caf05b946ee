import { Lane } from './lane.ts'
import { TenantRing } from './tenant-ring.ts'

/**
 * All lanes, and which of them have something to do: those whose first delivery is due stand in line, the others in a
 * heap by the time they are due. One timer for all of them; a timer each costs 383 bytes and garbage collection.
 */
export class Lanes {
  readonly #lanes = new Map<string, Lane>()
  readonly #ready = new TenantRing()
  readonly #heap: Lane[] = []

  get(endpointId: string): Lane {
    let lane = this.#lanes.get(endpointId)
    if (lane === undefined) this.#lanes.set(endpointId, (lane = new Lane(endpointId)))
    return lane
  }

  /** Sets when the lane's first delivery is due. */
  setDue(lane: Lane, due: number | null, now: number): void {
    lane.nextDue = due
    if (due !== null && due <= now) return this.#ready.add(lane)
    this.#ready.delete(lane)
    if (due !== null) this.#queue(lane, due)
  }

  /** Like `setDue`, but only ever earlier. */
  dueBy(lane: Lane, due: number, now: number): void {
    if (lane.nextDue === null || due < lane.nextDue) this.setDue(lane, due, now)
    else if (lane.nextDue <= now) this.#ready.add(lane)
  }

  /** Out of line until it is due again or `setDue`, `dueBy` or `retryAt` says so: it has no free slot. */
  stepBack(lane: Lane): void {
    this.#ready.delete(lane)
  }

  /** Back in line at this time, whatever it is due. */
  retryAt(lane: Lane, at: number): void {
    this.#ready.delete(lane)
    this.#queue(lane, at)
  }

  /** The lanes in line, in the order of their turns. */
  inLine(now: number): TenantRing {
    this.#promote(now)
    return this.#ready
  }

  /** Says whose lane it is: tenants take turns, and within a tenant its endpoints do. */
  belongsTo(lane: Lane, tenantId: string): void {
    if (lane.tenantId === tenantId) return
    const isInLine = this.#ready.delete(lane)
    lane.tenantId = tenantId
    if (isInLine) this.#ready.add(lane)
  }

  /** The first of them, at most so many. */
  first(most: number, now: number): Lane[] {
    const lanes: Lane[] = []
    for (const lane of this.inLine(now)) {
      if (lanes.length === most) break
      lanes.push(lane)
    }
    return lanes
  }

  /** It has had its turn: to the end of the line, if it is in line. */
  served(lane: Lane): void {
    this.#ready.served(lane)
  }

  /** When the next lane that is not in line is due; `null`: none is. */
  nextDue(): number | null {
    return this.#heap[0]?.queuedAt ?? null
  }

  /** Forgets lanes that have nothing to do, when there are many. */
  prune(most: number): void {
    if (this.#lanes.size <= most) return
    for (const [id, lane] of this.#lanes) {
      if (lane.inFlight === 0 && lane.nextDue === null && lane.queuedAt === null) this.#lanes.delete(id)
    }
  }

  #promote(now: number): void {
    for (let lane = this.#heap[0]; lane !== undefined && timeOf(lane) <= now; lane = this.#heap[0]) {
      this.#pop()
      lane.queuedAt = null
      if (lane.nextDue === null) continue
      if (lane.nextDue <= now) this.#ready.add(lane)
      else this.#queue(lane, lane.nextDue)
    }
  }

  /** One entry for each lane is enough, the earliest: when it comes up, the lane is looked at afresh. */
  #queue(lane: Lane, at: number): void {
    if (lane.queuedAt !== null && lane.queuedAt <= at) return
    const index = lane.queuedAt === null ? this.#heap.length : lane.queuedIndex
    lane.queuedAt = at
    this.#rise(lane, index)
  }

  #rise(lane: Lane, from: number): void {
    let index = from
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (timeOf(this.#heap[parent] as Lane) <= timeOf(lane)) break
      this.#place(this.#heap[parent] as Lane, index)
      index = parent
    }
    this.#place(lane, index)
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop() as Lane
    if (heap.length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && timeOf(heap[child + 1] as Lane) < timeOf(heap[child] as Lane)) child++
      if (timeOf(heap[child] as Lane) >= timeOf(last)) break
      this.#place(heap[child] as Lane, index)
      index = child
    }
    this.#place(last, index)
  }

  #place(lane: Lane, index: number): void {
    this.#heap[index] = lane
    lane.queuedIndex = index
  }
}

function timeOf(lane: Lane): number {
  return lane.queuedAt as number
}
