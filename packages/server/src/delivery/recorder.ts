import type { Clock, RandomSource } from '../core/clock.ts'
import type { AttemptRecord, ClaimRef, RecordResult } from '../store/rows.ts'
import type { Store } from '../store/store.ts'

export interface RecorderOptions {
  store: Store
  clock: Clock
  random: RandomSource
  nodeId: string
  onConfigVersion(version: number): void
  /** The store could not take it. */
  onTrouble(error: unknown): void
  /** It is unknown whether claims were given back. */
  onStray(): void
}

type Release = ClaimRef & { dueAt: number }

interface Waiting<Item, Result> {
  item: Item
  resolve(result: Result): void
}

/** Outcomes a transaction takes at most. */
const MAX_BATCH = 500
const FIRST_BACKOFF_MS = 100
const LONGEST_BACKOFF_MS = 5000

/**
 * Puts what attempts came to on record, many in one transaction, and tries until the store takes it (guarantee G16).
 * What waits here is bounded by the slots in flight, which are not freed before.
 */
export class Recorder {
  readonly #options: RecorderOptions
  #records: Waiting<AttemptRecord, RecordResult>[] = []
  #releases: Waiting<Release, void>[] = []
  #flushing = false

  constructor(options: RecorderOptions) {
    this.#options = options
  }

  record(item: AttemptRecord): Promise<RecordResult> {
    return new Promise((resolve) => {
      this.#records.push({ item, resolve })
      void this.#flush()
    })
  }

  /**
   * Gives a claim back whose attempt never started. Tried once: a repetition could reach the next claim of the same
   * number, which is why whoever looks for strays settles what is left.
   */
  release(item: Release): Promise<void> {
    return new Promise((resolve) => {
      this.#releases.push({ item, resolve })
      void this.#flush()
    })
  }

  async #flush(): Promise<void> {
    if (this.#flushing) return
    this.#flushing = true
    // Everything that ends in this turn shares the transaction.
    await Promise.resolve()
    while (this.#records.length > 0 || this.#releases.length > 0) {
      const records = this.#records.splice(0, MAX_BATCH)
      const releases = this.#releases.splice(0, MAX_BATCH)
      if (records.length > 0) await this.#flushRecords(records)
      if (releases.length > 0) await this.#flushReleases(releases)
    }
    this.#flushing = false
  }

  async #flushRecords(batch: Waiting<AttemptRecord, RecordResult>[]): Promise<void> {
    const { store, nodeId, clock, onConfigVersion } = this.#options
    const records = batch.map(({ item }) => item)
    const { results, configVersion } = await this.#insist(() =>
      store.recordAttempts({ nodeId, now: clock.now(), records }),
    )
    onConfigVersion(configVersion)
    batch.forEach(({ resolve }, index) => resolve(results[index] as RecordResult))
  }

  async #flushReleases(batch: Waiting<Release, void>[]): Promise<void> {
    const { store, nodeId, clock, onTrouble, onStray } = this.#options
    const claims = batch.map(({ item }) => item)
    try {
      await store.releaseClaims({ nodeId, now: clock.now(), claims })
    } catch (error) {
      onTrouble(error)
      onStray()
    }
    for (const { resolve } of batch) resolve()
  }

  /** Repeats until it succeeds: an outcome that is on record already changes nothing the second time. */
  async #insist<Result>(verb: () => Promise<Result>): Promise<Result> {
    const { clock, random, onTrouble } = this.#options
    for (let backoff = FIRST_BACKOFF_MS; ; backoff = Math.min(backoff * 2, LONGEST_BACKOFF_MS)) {
      try {
        return await verb()
      } catch (error) {
        onTrouble(error)
        await new Promise<void>((resume) => clock.after(backoff * (0.5 + random.fraction()), resume))
      }
    }
  }
}
