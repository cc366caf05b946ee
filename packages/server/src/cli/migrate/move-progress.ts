import type { MoveReport } from '../../moving/move.ts'
import type { Screen } from '../screen.ts'

export interface MoveProgressLine {
  report(report: MoveReport): void
  close(): void
}

/** Without a terminal to rewrite a line on, one comes so often. */
const LINE_MS = 5000

/** Tells how far a move is: rows, rows a second, and how long the rest takes at that rate. @param now monotonic, in ms */
export function createMoveProgress(screen: Screen, now: () => number): MoveProgressLine {
  let step: MoveReport['step'] | null = null
  let start = { at: now(), rows: 0 }
  let lastLine = -Infinity
  return {
    report(report) {
      if (report.step !== step) start = { at: now(), rows: step === null ? report.rows : 0 }
      step = report.step
      const line = lineOf(report, start, now())
      screen.status(line)
      if (screen.live || now() - lastLine < LINE_MS) return
      lastLine = now()
      screen.line(line)
    },
    close: () => screen.status(null),
  }
}

function lineOf({ step, table, rows, ofRows }: MoveReport, start: { at: number; rows: number }, at: number): string {
  const [seconds, done] = [(at - start.at) / 1000, rows - start.rows]
  const rate = seconds > 0 ? done / seconds : 0
  const rest = rate > 0 ? `, ${format(rate)} rows/s, about ${spanText((ofRows - rows) / rate)} left` : ''
  return `${step} ${table}: ${format(rows)} of ${format(ofRows)} rows${rest}`
}

function format(count: number): string {
  return Math.round(count).toLocaleString('en')
}

function spanText(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`
}
