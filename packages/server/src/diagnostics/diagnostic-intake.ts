import type { Clock } from '../core/clock.ts'
import type { DiagnosticStore, NewDiagnostic } from '../store/diagnostics.ts'
import { StoreUnavailable } from '../store/store.ts'

export interface DiagnosticIntakeOptions {
  store: Pick<DiagnosticStore, 'append'>
  clock: Pick<Clock, 'after'>
}

/** Diagnostics in one transaction. */
const GROUP = 200
/** What comes within this time shares a commit, ms: nobody waits for a diagnostic as for an event. */
const GATHER_MS = 20
/** Characters of diagnostics that may wait: about twice as many bytes of memory. Beyond it none is taken. */
const MOST_WAITING = 8 * 1024 * 1024
/** What a diagnostic costs besides its body, in characters. */
const OVERHEAD = 300

interface Lot {
  diagnostics: readonly NewDiagnostic[]
  size: number
  resolve(): void
  reject(error: unknown): void
}

/**
 * The way of diagnostics into their store: one transaction at a time, and a queue with an end. When their writer is busy they wait
 * here, and when the queue is full they are refused; neither is felt by an event.
 */
export class DiagnosticIntake {
  readonly #options: DiagnosticIntakeOptions
  #lots: Lot[] = []
  #waiting = 0
  #isAtWork = false

  constructor(options: DiagnosticIntakeOptions) {
    this.#options = options
  }

  /** Whether there is room at all. */
  get isFull(): boolean {
    return this.#waiting >= MOST_WAITING
  }

  /** Resolves when all of them are stored. @throws StoreUnavailable where there is no room, or the store is away: none of them is */
  add(diagnostics: readonly NewDiagnostic[]): Promise<void> {
    if (diagnostics.length === 0) return Promise.resolve()
    if (this.isFull)
      return Promise.reject(new StoreUnavailable('unavailable', 'too many diagnostics wait to be stored'))
    const size = diagnostics.reduce((sum, { body }) => sum + body.length + OVERHEAD, 0)
    this.#waiting += size
    return new Promise((resolve, reject) => {
      this.#lots.push({ diagnostics, size, resolve, reject })
      if (this.#isAtWork) return
      this.#isAtWork = true
      this.#options.clock.after(GATHER_MS, () => void this.#work())
    })
  }

  async #work(): Promise<void> {
    while (this.#lots.length > 0) {
      const group = this.#take()
      try {
        await this.#options.store.append({ diagnostics: group.flatMap(({ diagnostics }) => diagnostics) })
        for (const { resolve } of group) resolve()
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
      for (const { size } of group) this.#waiting -= size
    }
    this.#isAtWork = false
  }

  /** Whole requests: each is stored or not. */
  #take(): Lot[] {
    let count = 0
    for (let taken = 0; taken < this.#lots.length; taken++) {
      count += (this.#lots[taken] as Lot).diagnostics.length
      if (taken > 0 && count > GROUP) return this.#lots.splice(0, taken)
    }
    return this.#lots.splice(0)
  }
}
