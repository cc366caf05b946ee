import type { Countdown } from '../countdown.ts'
import type { Screen } from '../screen.ts'
import type { AttemptWatch } from './attempt-watch.ts'
import type { DemoServer } from './demo-server.ts'
import type { DemoReceiver } from './demo-receiver.ts'

/** What the steps share. */
export interface Stage extends DemoServer {
  screen: Screen
  signal: AbortSignal
  watch: AttemptWatch
  countdown: Countdown
  /** By endpoint id. */
  receivers: Map<string, DemoReceiver>
  /** Deliveries that were asked for again: their attempts go on counting beyond the schedule. */
  replayed: Set<string>
}
