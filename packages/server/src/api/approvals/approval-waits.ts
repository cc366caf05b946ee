import type { Clock } from '../../core/clock.ts'
import type { Store } from '../../store/store.ts'

/** Requests that wait at once; one more is answered with how things stand, and asks again. */
const MAX_WAITS = 2000
/** How long a decision that was made on another node can go unnoticed here, besides the time the database takes. */
export const LOOK_MS = 1000

interface Wait {
  position: number
  /** Ms, service time; `null`: no time of its own. */
  until: number
  end(): void
}

export interface ApprovalWaitsOptions {
  store: Pick<Store, 'findEndedApprovals'>
  clock: Clock
  onError(error: unknown): void
}

/**
 * Requests that wait for approvals to end. While there are any, one query a second asks for all of them, whoever decides
 * and on whichever node; what is accepted here is looked at at once.
 */
export class ApprovalWaits {
  readonly #options: ApprovalWaitsOptions
  readonly #waits = new Set<Wait>()
  #looking = false
  #lookAgain = false
  #stopped = false
  #cancelTimer: (() => void) | null = null

  constructor(options: ApprovalWaitsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#waits.size
  }

  /**
   * Resolves when the approval has ended, `until` has come, the caller is gone, the server stops, or too many wait: whoever waited
   * looks again how things stand.
   */
  async wait(position: number, until: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    if (this.#stopped || signal.aborted || this.#waits.size >= MAX_WAITS || until <= clock.now()) return
    await new Promise<void>((resolve) => {
      const wait: Wait = {
        position,
        until,
        end: () => {
          this.#waits.delete(wait)
          signal.removeEventListener('abort', wait.end)
          if (this.#waits.size === 0) this.#rest()
          resolve()
        },
      }
      signal.addEventListener('abort', wait.end)
      this.#waits.add(wait)
      // Between the caller's look and this moment something may have been decided.
      this.poke()
    })
  }

  /** Something has become of an approval here. */
  poke(): void {
    if (this.#waits.size === 0) return
    if (this.#looking) this.#lookAgain = true
    else void this.#look()
  }

  /** Nobody waits any more, now or later. */
  stop(): void {
    this.#stopped = true
    for (const wait of this.#waits) wait.end()
  }

  async #look(): Promise<void> {
    const { store, clock, onError } = this.#options
    this.#looking = true
    this.#lookAgain = false
    this.#rest()
    try {
      const asked = [...this.#waits]
      const ended = new Set(
        await store.findEndedApprovals({ positions: [...new Set(asked.map(({ position }) => position))] }),
      )
      for (const wait of asked) if (ended.has(wait.position)) wait.end()
    } catch (error) {
      // Everybody who waits does so until the database is back, or their time has come.
      onError(error)
    }
    this.#looking = false
    const now = clock.now()
    for (const wait of this.#waits) if (wait.until <= now) wait.end()
    if (this.#waits.size === 0) return
    if (this.#lookAgain) return void this.#look()
    const next = Math.min(...[...this.#waits].map(({ until }) => until)) - now
    this.#cancelTimer = clock.after(Math.max(1, Math.min(LOOK_MS, next)), () => void this.#look())
  }

  #rest(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = null
  }
}
