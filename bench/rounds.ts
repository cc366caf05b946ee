import { measureLimits, type Limits } from './limits/index.ts'
import { watchForeignLoad, type ForeignLoad } from './machine/foreign-load.ts'
import type { Receiver } from './receiver/receiver.ts'
import type { Bench, Figure, Scenario } from './scenario.ts'

/** Processors that others may keep busy, in the mean of a round. */
const MOST_FOREIGN = 0.2

export interface Round {
  limits: Limits
  figures: Figure[]
  foreign: ForeignLoad
}

export interface Measured {
  scenario: string
  summary: string
  seconds: number
  rounds: Round[]
  /** What others disturbed. */
  discarded: Round[]
}

/**
 * Runs a scenario until it has so many rounds that nobody disturbed, or has tried twice as often. Each round measures the limits of the
 * machine and then the scenario, so that what drifts drifts for both.
 */
export async function measureScenario(
  scenario: Scenario,
  bench: Bench,
  { rounds, receiver }: { rounds: number; receiver: Receiver },
): Promise<Measured> {
  const started = performance.now()
  const wanted = Math.min(rounds, scenario.mostRounds ?? rounds)
  const kept: Round[] = []
  const discarded: Round[] = []
  bench.progress(`${scenario.name}: making ready`)
  const session = await scenario.open(bench)
  try {
    while (kept.length < wanted && kept.length + discarded.length < wanted * 2) {
      bench.progress(`${scenario.name}: round ${kept.length + 1} of ${wanted}, ${discarded.length} discarded`)
      const foreign = watchForeignLoad(bench.databaseUrl === null ? null : 'postgres')
      const limits = await measureLimits(bench.folder, receiver, bench.seconds / 2)
      const figures = await session.round(limits)
      const round = { limits, figures, foreign: foreign() }
      if (round.foreign.cores > MOST_FOREIGN) discarded.push(round)
      else kept.push(round)
    }
  } finally {
    await session.close()
  }
  const seconds = (performance.now() - started) / 1000
  return { scenario: scenario.name, summary: scenario.summary, seconds, rounds: kept, discarded }
}
