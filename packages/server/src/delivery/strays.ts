import type { Clock } from '../core/clock.ts'
import type { ClaimRef } from '../store/rows.ts'
import type { Store } from '../store/store.ts'

/** Claims on record that nobody runs: left behind by an answer of the store that never came. */
export function findStrays(held: readonly ClaimRef[], running: Iterable<ClaimRef>): ClaimRef[] {
  const known = new Set(Array.from(running, nameOf))
  return held.filter((claim) => !known.has(nameOf(claim)))
}

/** The position alone is not enough: a delivery may be claimed again before its old run has ended. */
function nameOf({ position, number }: ClaimRef): string {
  return `${position}/${number}`
}

/** Under load there is always an answer on its way: after so long nothing new is begun until there is none, for a moment. */
const PRESSING_MS = 5000

export interface StrayReleaseOptions {
  store: Store
  clock: Clock
  nodeId: string
  /** Claims looked at in one call. */
  limit: number
  running(): Iterable<ClaimRef>
  /** No answer of the store is on its way: only then can strays be told apart. */
  isQuiet(): boolean
  /** Some were given back, and are due now. */
  onReleased(): Promise<unknown>
  onError(error: unknown): void
  /** It has ended, one way or the other. */
  onDone(): void
}

/** Gives back claims that nobody runs, once it was asked to and it is quiet. */
export class StrayRelease {
  readonly #options: StrayReleaseOptions
  #wanted = false
  /** Since when they have been wanted in vain, by the monotonic clock. */
  #since: number | null = null
  #underWay: Promise<void> | null = null

  constructor(options: StrayReleaseOptions) {
    this.#options = options
  }

  /** Nothing may be reserved or claimed now, so that it becomes quiet, or stays it: what is claimed would be taken for a stray. */
  get holdsUp(): boolean {
    if (this.#underWay !== null) return true
    return this.#since !== null && this.#options.clock.monotonic() - this.#since >= PRESSING_MS
  }

  /** `null`: nothing is under way. */
  get underWay(): Promise<void> | null {
    return this.#underWay
  }

  want(): void {
    this.#wanted = true
    this.#since ??= this.#options.clock.monotonic()
  }

  whenQuiet(): void {
    const { isQuiet, onError, onDone } = this.#options
    if (!this.#wanted || this.#underWay !== null || !isQuiet()) return
    this.#wanted = false
    this.#since = null
    this.#underWay = this.#release()
      .catch((error: unknown) => {
        this.want()
        onError(error)
      })
      .then(() => {
        this.#underWay = null
        onDone()
      })
  }

  async #release(): Promise<void> {
    const { store, nodeId, clock, limit, running, onReleased } = this.#options
    const held = await store.findClaims({ nodeId, limit })
    const now = clock.now()
    const strays = findStrays(held, running()).map((claim) => ({ ...claim, dueAt: now }))
    if (strays.length === 0) return
    await store.releaseClaims({ nodeId, now, claims: strays })
    // There may be more than one answer holds.
    if (held.length === limit) this.want()
    await onReleased()
  }
}
