import type { Limits } from './limits/index.ts'

/** What a scenario is given. */
export interface Bench {
  /** For databases; taken away afterwards. */
  folder: string
  /** How long each variant is measured in a round. */
  seconds: number
  /** Fast and rough: to see that it works. */
  quick: boolean
  logLevel: string
  /** `null`: the embedded database. */
  databaseUrl: string | null
  sizes: Sizes
  progress(text: string): void
}

/** How much there is in databases that are not empty. */
export interface Sizes {
  /** Pending deliveries. */
  backlog: number
  /** Attempts of the past. */
  history: number
}

/** One figure of one round, with what performance demands of it. */
export interface Figure {
  name: string
  unit: string
  value: number
  must?: number
  goal?: number
  better?: 'lower' | 'higher'
}

export interface Session {
  /** Measures every variant once. */
  round(limits: Limits): Promise<Figure[]>
  close(): Promise<void>
}

export interface Scenario {
  /** As it is named on the command line. */
  name: string
  summary: string
  /** Seconds it takes with five rounds, about. */
  takes: number
  /** It runs only where it is named. */
  long?: boolean
  /** Why it needs the embedded database. */
  embeddedOnly?: string
  /** Rounds at most, where a single one takes minutes. */
  mostRounds?: number
  open(bench: Bench): Promise<Session>
}
