import type { OutgoingEvent } from './outgoing-event.ts'

/** Events of one run that wait, in order. While some of them are on their way, the others stay. */
interface Lane {
  readonly waiting: OutgoingEvent[]
  isBusy: boolean
}

/** What is taken out together: from each lane its first events, in order. */
export interface Load {
  events: OutgoingEvent[]
  lanes: string[]
}

/**
 * Events that wait to be sent, a lane for each run: events of a lane leave in their order, and no more of them leave before
 * those that did have ended. Lanes take turns, so that one run with much to say does not hold up the others.
 */
export class Lanes {
  readonly #lanes = new Map<string, Lane>()
  /** Lanes with something to send that are not busy, the one that has waited longest first. */
  readonly #ready = new Set<string>()
  /** In the order they came: what is dropped where the oldest goes first. */
  readonly #waiting = new Set<OutgoingEvent>()

  /** How many events wait. */
  get size(): number {
    return this.#waiting.size
  }

  get hasReady(): boolean {
    return this.#ready.size > 0
  }

  add(event: OutgoingEvent): void {
    let lane = this.#lanes.get(event.lane)
    if (lane === undefined) this.#lanes.set(event.lane, (lane = { waiting: [], isBusy: false }))
    lane.waiting.push(event)
    this.#waiting.add(event)
    if (!lane.isBusy) this.#ready.add(event.lane)
    event.onSettled(() => this.#remove(event))
  }

  /** Whether what is ready fills a request. Looks at as many events as fit into one, at most. */
  fills(maxEvents: number, maxBytes: number): boolean {
    let count = 0
    let bytes = 0
    for (const name of this.#ready) {
      for (const event of this.#lanes.get(name)?.waiting ?? []) {
        count++
        bytes += event.bytes
        if (count >= maxEvents || bytes >= maxBytes) return true
      }
    }
    return false
  }

  oldest(): OutgoingEvent | undefined {
    const [first] = this.#waiting
    return first
  }

  /**
   * Takes events of lanes that are ready: their first ones, up to the bounds. Always one at least, however large it is.
   * @returns `null` where no lane is ready
   */
  take(maxEvents: number, maxBytes: number): Load | null {
    const load: Load = { events: [], lanes: [] }
    let room = maxBytes
    for (const name of this.#ready) {
      const lane = this.#lanes.get(name) as Lane
      const fitting = countFitting(lane.waiting, maxEvents - load.events.length, room, load.events.length === 0)
      if (fitting === 0) break
      const taken = lane.waiting.splice(0, fitting)
      lane.isBusy = true
      this.#ready.delete(name)
      for (const event of taken) {
        this.#waiting.delete(event)
        room -= event.bytes
      }
      load.events.push(...taken)
      load.lanes.push(name)
    }
    return load.events.length === 0 ? null : load
  }

  /** What was taken of these lanes has ended: their next events may leave. */
  release(names: readonly string[]): void {
    for (const name of names) {
      const lane = this.#lanes.get(name)
      if (lane === undefined) continue
      lane.isBusy = false
      if (lane.waiting.length > 0) this.#ready.add(name)
      else this.#lanes.delete(name)
    }
  }

  #remove(event: OutgoingEvent): void {
    if (!this.#waiting.delete(event)) return
    const lane = this.#lanes.get(event.lane) as Lane
    lane.waiting.splice(lane.waiting.indexOf(event), 1)
    if (lane.waiting.length > 0 || lane.isBusy) return
    this.#ready.delete(event.lane)
    this.#lanes.delete(event.lane)
  }
}

function countFitting(
  waiting: readonly OutgoingEvent[],
  maxEvents: number,
  maxBytes: number,
  isFirst: boolean,
): number {
  let bytes = 0
  let count = 0
  for (const event of waiting) {
    bytes += event.bytes
    if (count === maxEvents || (bytes > maxBytes && !(isFirst && count === 0))) break
    count++
  }
  return count
}
