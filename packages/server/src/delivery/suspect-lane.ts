import type { Clock } from '../core/clock.ts'
import type { Claim } from '../store/rows.ts'

/** How long a start waits at most for everything else in flight to end. */
const DRAIN_MS = 2000
/** How long a suspect has everything to itself; content that crashes a process does so at once. */
const ALONE_MS = 1000
/** After this long without anybody else getting a turn, the others do. */
const HOLD_MS = 5000
/** How long that turn is at least. */
const BREATHER_MS = 5000

export interface SuspectLaneOptions {
  clock: Clock
  /** Claims the next one, or `null` when there is none. */
  claim(): Promise<Claim | null>
  /** Runs one to its end. */
  run(claim: Claim): Promise<void>
  /** Resolves when nothing is in flight. */
  drained(): Promise<void>
  /** The others may go on. */
  onOpen(): void
  onError(error: unknown): void
}

/**
 * The lane of concurrency 1 for deliveries that were in flight when a node died (details 3): one of them may be what
 * killed it. While one starts, nothing else does, so that a further crash points to it alone; then the others go on.
 *
 *   idle ──wake──▶ draining ──▶ alone ──ended within 1 s──▶ draining …
 *                                 └──still in flight──▶ shared ──ended──▶ draining …
 *   draining ──no suspect left──▶ idle          after 5 s of holding ──▶ breather (5 s) ──▶ draining
 */
export class SuspectLane {
  readonly #options: SuspectLaneOptions
  #wanted = false
  #active: Promise<void> | null = null
  #holding = false
  #holdingSince = 0
  #stopped = false
  #cancelWait = () => {}

  constructor(options: SuspectLaneOptions) {
    this.#options = options
  }

  /** Nothing else may start now. */
  get holding(): boolean {
    return this.#holding
  }

  /** There may be suspects. */
  wake(): void {
    if (this.#stopped) return
    this.#wanted = true
    this.#active ??= this.#loop()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#wanted = false
    this.#cancelWait()
    await this.#active
  }

  async #loop(): Promise<void> {
    try {
      while (this.#wanted && !this.#stopped) {
        // Set aside before looking: a wake-up that comes meanwhile must not be lost.
        this.#wanted = false
        if (!(await this.#next())) continue
        this.#wanted = true
        if (!this.#stopped && this.#heldTooLong()) {
          this.#open()
          await this.#wait(BREATHER_MS)
        }
      }
    } catch (error) {
      // Whoever looks for due deliveries next wakes this lane again.
      this.#options.onError(error)
    }
    this.#active = null
    this.#open()
  }

  /** Runs the next suspect; `false` when there is none. */
  async #next(): Promise<boolean> {
    const { claim, run, drained } = this.#options
    this.#hold()
    await Promise.race([drained(), this.#wait(DRAIN_MS)])
    this.#cancelWait()
    if (this.#stopped) return false
    const suspect = await claim()
    if (suspect === null) return false
    const ended = run(suspect)
    await Promise.race([ended, this.#wait(ALONE_MS).then(() => this.#open())])
    this.#cancelWait()
    await ended
    return true
  }

  #hold(): void {
    if (this.#holding) return
    this.#holding = true
    this.#holdingSince = this.#options.clock.monotonic()
  }

  #heldTooLong(): boolean {
    return this.#holding && this.#options.clock.monotonic() - this.#holdingSince > HOLD_MS
  }

  #open(): void {
    if (!this.#holding) return
    this.#holding = false
    this.#options.onOpen()
  }

  /** Resolves after `ms`, or never once it is cancelled by the next step; stopping ends it at once. */
  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancelTimer = this.#options.clock.after(ms, resolve)
      this.#cancelWait = () => {
        cancelTimer()
        if (this.#stopped) resolve()
      }
    })
  }
}
