import type { Clock } from '../core/clock.ts'
import type { DiagnosticStore } from '../store/diagnostics.ts'
import { DiagnosticGate } from './diagnostic-gate.ts'
import { DiagnosticIntake } from './diagnostic-intake.ts'
import { Places } from './places.ts'

export interface DiagnosticsOptions {
  store: DiagnosticStore
  clock: Pick<Clock, 'monotonic' | 'after'>
  /** Diagnostics a second. */
  rates: { perTenant: number; perNode: number }
  /** Spans that say so become events of runs and tool calls. */
  spansAsEvents: boolean
}

/** Everything that works with diagnostics shares this. */
export class Diagnostics {
  readonly store: DiagnosticStore
  readonly gate: DiagnosticGate
  readonly intake: DiagnosticIntake
  readonly spansAsEvents: boolean
  /** Requests under way: their bodies are in memory. */
  readonly requests = new Places({ most: 32, mostOfOne: 16 })
  /** Who follows what comes in. */
  readonly followers = new Places({ most: 32, mostOfOne: 16 })
  #turn: Promise<unknown> = Promise.resolve()

  constructor({ store, clock, rates, spansAsEvents }: DiagnosticsOptions) {
    this.store = store
    this.gate = new DiagnosticGate({ clock, ...rates })
    this.intake = new DiagnosticIntake({ store, clock })
    this.spansAsEvents = spansAsEvents
  }

  /** The work of one request at a time: between two slices of it everything else gets its turn, not the next request of this kind. */
  oneAtATime<Result>(work: () => Promise<Result>): Promise<Result> {
    const mine = this.#turn.then(work, work)
    this.#turn = mine.catch(() => undefined)
    return mine
  }
}
