import type { Clock } from '../core/clock.ts'

/** The one shape of everything that runs in the background. */
export interface Service<Counts = unknown> {
  start(): void
  /** Resolves when the run under way, if there is one, has ended; no other follows. */
  stop(): Promise<void>
  /** One round, now. */
  runOnce(): Promise<Counts>
}

export interface ServiceOptions<Counts> {
  clock: Clock
  /** Ms from the end of one round to the start of the next. */
  intervalMs: number
  runOnce(): Promise<Counts>
  /** A round failed; the next one comes all the same. */
  onError(error: unknown): void
}

export function createService<Counts>(options: ServiceOptions<Counts>): Service<Counts> {
  const { clock, intervalMs, runOnce, onError } = options
  let running: Promise<void> | null = null
  let cancelTimer = () => {}
  let stopped = true

  async function round(): Promise<void> {
    try {
      await runOnce()
    } catch (error) {
      onError(error)
    }
    running = null
    if (!stopped) cancelTimer = clock.after(intervalMs, begin)
  }

  function begin(): void {
    running = round()
  }

  return {
    start() {
      stopped = false
      begin()
    },
    async stop() {
      stopped = true
      cancelTimer()
      await running
    },
    runOnce,
  }
}
