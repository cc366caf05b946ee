import type { Clock } from '../core/clock.ts'

export interface GroupQueueOptions<Item> {
  clock: Pick<Clock, 'monotonic' | 'after'>
  /** Items a group takes at most. */
  maxItems: number
  /**
   * A commit waits until this long after the one before it, so that items arriving meanwhile share it; one that comes
   * after a pause is made at once. In ms.
   */
  gatherMs: number
  /** What an item adds to its group. */
  weigh(item: Item): { bytes: number; rows: number }
  /** Commits one group. Never rejects. */
  commit(group: Item[]): Promise<void>
}

/** Bytes of received events a group takes at most. */
const MAX_BYTES = 4 * 1024 * 1024
/** Bytes that may wait for a commit: a store that hangs must not fill the memory. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024
/** Rows a group takes at most: events and deliveries (details 1). */
const MAX_ROWS = 5000

/** Group commit: one is under way at a time, and the next takes all that queued meanwhile. */
export class GroupQueue<Item> {
  readonly #options: GroupQueueOptions<Item>
  #queue: Item[] = []
  #waitingBytes = 0
  #committing = false
  #timerSet = false
  #lastCommit = -Infinity

  constructor(options: GroupQueueOptions<Item>) {
    this.#options = options
  }

  /** `false`: too much waits already, because commits do not keep up. */
  add(item: Item): boolean {
    const { bytes } = this.#options.weigh(item)
    if (this.#queue.length > 0 && this.#waitingBytes + bytes > MAX_WAITING_BYTES) return false
    this.#waitingBytes += bytes
    this.#queue.push(item)
    this.#schedule()
    return true
  }

  #schedule(): void {
    if (this.#committing || this.#timerSet || this.#queue.length === 0) return
    const { clock, gatherMs, maxItems } = this.#options
    const wait = this.#lastCommit + gatherMs - clock.monotonic()
    if (wait <= 0 || this.#queue.length >= maxItems) return void this.#commit()
    this.#timerSet = true
    clock.after(wait, () => {
      this.#timerSet = false
      if (!this.#committing && this.#queue.length > 0) void this.#commit()
    })
  }

  async #commit(): Promise<void> {
    this.#committing = true
    await this.#options.commit(this.#take())
    this.#committing = false
    this.#lastCommit = this.#options.clock.monotonic()
    this.#schedule()
  }

  #take(): Item[] {
    const { maxItems, weigh } = this.#options
    let bytes = 0
    let groupBytes = 0
    let rows = 0
    let count = 0
    for (const item of this.#queue) {
      const weight = weigh(item)
      bytes += weight.bytes
      rows += weight.rows
      if (count > 0 && (count >= maxItems || bytes > MAX_BYTES || rows > MAX_ROWS)) break
      groupBytes = bytes
      count++
    }
    const group = this.#queue.slice(0, count)
    this.#queue = this.#queue.slice(count)
    this.#waitingBytes = this.#waitingBytes - groupBytes
    return group
  }
}
