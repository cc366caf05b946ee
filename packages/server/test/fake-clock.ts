import type { Clock, RandomSource } from '../src/core/clock.ts'

interface Timer {
  at: number
  run: () => void
}

/** A clock that stands still until it is told to go on. */
export class FakeClock implements Clock {
  /** What the wall clock is ahead of service time. */
  wallOffset = 0
  readonly #start: number
  #elapsed = 0
  readonly #timers = new Set<Timer>()

  constructor(start = Date.UTC(2026, 0, 5, 12)) {
    this.#start = start
  }

  now(): number {
    return this.#start + this.#elapsed
  }

  wall(): number {
    return this.now() + this.wallOffset
  }

  /** From another start than service time, so that the two cannot be mixed up unnoticed. */
  monotonic(): number {
    return this.#elapsed + 7
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#elapsed + ms, run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Timers that are still to come. */
  get timers(): number {
    return this.#timers.size
  }

  /** Lets this much time pass: each timer runs at its moment, and everything it sets off ends before the next one. */
  async advance(ms: number): Promise<void> {
    const until = this.#elapsed + ms
    await settled()
    for (let next = this.#next(until); next !== null; next = this.#next(until)) {
      this.#timers.delete(next)
      this.#elapsed = Math.max(this.#elapsed, next.at)
      next.run()
      await settled()
    }
    this.#elapsed = until
    await settled()
  }

  #next(until: number): Timer | null {
    let next: Timer | null = null
    for (const timer of this.#timers) if (timer.at <= until && (next === null || timer.at < next.at)) next = timer
    return next
  }
}

/** Resolves when every promise that can go on without a timer has gone on. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Always the same fraction, and bytes that count up. */
export function fakeRandom(fraction = 0.5): RandomSource {
  let counter = 0
  return {
    bytes: (length) => Uint8Array.from({ length }, () => counter++ % 256),
    fraction: () => fraction,
  }
}

/** A promise that the test settles. */
export interface Gate<Value> {
  promise: Promise<Value>
  open(value: Value): void
  fail(error: unknown): void
}

export function gate<Value = void>(): Gate<Value> {
  const made: Partial<Gate<Value>> = {}
  made.promise = new Promise((resolve, reject) => Object.assign(made, { open: resolve, fail: reject }))
  return made as Gate<Value>
}
