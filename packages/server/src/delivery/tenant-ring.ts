import type { Lane } from './lane.ts'

/**
 * Lanes in line, so that each tenant gets a turn before any gets a second one, and within a tenant each endpoint does: a tenant with 500
 * endpoints that have a backlog does not make one with a single endpoint wait for 500 turns.
 */
export class TenantRing {
  /** Tenants in the order of their turns, each with its lanes in the order of theirs. */
  readonly #tenants = new Map<string, Set<Lane>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  add(lane: Lane): void {
    const lanes = this.#tenants.get(lane.tenantId)
    if (lanes?.has(lane) === true) return
    if (lanes === undefined) this.#tenants.set(lane.tenantId, new Set([lane]))
    else lanes.add(lane)
    this.#size += 1
  }

  /** @returns whether it was in line */
  delete(lane: Lane): boolean {
    const lanes = this.#tenants.get(lane.tenantId)
    if (lanes?.delete(lane) !== true) return false
    if (lanes.size === 0) this.#tenants.delete(lane.tenantId)
    this.#size -= 1
    return true
  }

  /** It has had its turn, and so has its tenant: both go to the end. */
  served(lane: Lane): void {
    const lanes = this.#tenants.get(lane.tenantId)
    if (lanes?.delete(lane) !== true) return
    lanes.add(lane)
    this.#tenants.delete(lane.tenantId)
    this.#tenants.set(lane.tenantId, lanes)
  }

  /** One of each tenant, then a second one of each, and so on. */
  *[Symbol.iterator](): IterableIterator<Lane> {
    let rounds: Iterator<Lane>[] = []
    for (const lanes of this.#tenants.values()) {
      const [first] = lanes
      if (first === undefined) continue
      yield first
      const rest = lanes.values()
      rest.next()
      rounds.push(rest)
    }
    while (rounds.length > 0) {
      const left: Iterator<Lane>[] = []
      for (const lanes of rounds) {
        const next = lanes.next()
        if (next.done === true) continue
        yield next.value
        left.push(lanes)
      }
      rounds = left
    }
  }
}
