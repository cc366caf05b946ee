import type { AttemptLine } from '../delivery/run-delivery.ts'
import type { Screen } from './screen.ts'

/** What a receiver of this process saw of an attempt. */
export interface Told {
  verified: boolean
  /** Why not, if it was not. */
  reason: string | null
  duplicate: boolean
  /** SHA-256 (hex) of the bytes that came. */
  sha256: string
}

export interface AttemptFacts {
  line: AttemptLine
  /** The endpoint's name. */
  receiver: string
  /** How many attempts the schedule allows, if it is known. */
  most: number | null
  /** `null` where the receiver is not ours. */
  told: Told | null
}

/** Columns of a line: time, who, event type, what came of it. */
export function row(screen: Screen, time: string, who: string, type: string, rest: string): string {
  return `  ${screen.paint('dim', time)}  ${who.padEnd(12)}  ${type.padEnd(25)}  ${rest}`.trimEnd()
}

/** One attempt: `1/3  200  signature ok  new`. */
export function attemptText(screen: Screen, { line, most, told }: Omit<AttemptFacts, 'receiver'>): string {
  const number = most === null || line.number > most ? `${line.number}` : `${line.number}/${most}`
  const ok = line.verdict === 'delivered'
  const answer = screen.paint(
    ok ? 'green' : 'yellow',
    line.statusCode === null ? line.outcome : String(line.statusCode),
  )
  return [number.padEnd(3), answer, told === null ? [] : toldText(screen, told, ok)].flat().join('  ')
}

function toldText(screen: Screen, told: Told, ok: boolean): string[] {
  const signature = told.verified ? 'signature ok' : screen.paint('red', `signature refused: ${told.reason}`)
  return ok ? [signature, told.duplicate ? screen.paint('yellow', 'duplicate') : 'new'] : [signature]
}

/** What follows from an attempt that did not deliver; `null`: nothing to say. */
export function verdictText(screen: Screen, line: AttemptLine, now: number): string | null {
  if (line.verdict === 'dead_letter') return screen.paint('red', 'dead letter')
  return line.retryAt === null ? null : `next attempt in ${secondsText(line.retryAt - now)}`
}

/** Such as `1.8 s`, `5 min` or `2 h`. */
export function secondsText(ms: number): string {
  if (ms >= 2 * 3_600_000) return `${Math.round(ms / 3_600_000)} h`
  if (ms >= 2 * 60_000) return `${Math.round(ms / 60_000)} min`
  return `${(Math.max(0, ms) / 1000).toFixed(1)} s`
}
