import { secondsText } from './attempt-text.ts'
import type { Screen } from './screen.ts'

/** Deliveries that wait for their next attempt, as one line that counts down. */
export interface Countdown {
  /** @param at service time in ms */
  wait(deliveryId: string, what: string, at: number): void
  done(deliveryId: string): void
  close(): void
}

const REFRESH_MS = 100

/** @param now service time in ms */
export function createCountdown(screen: Screen, now: () => number): Countdown {
  const waiting = new Map<string, { what: string; at: number }>()
  const show = () => {
    const [next, ...others] = [...waiting.values()].sort((one, other) => one.at - other.at)
    if (next === undefined) return screen.status(null)
    const more = others.length === 0 ? '' : `, and ${others.length} more`
    screen.status(screen.paint('dim', `  ↻ next attempt for ${next.what} in ${secondsText(next.at - now())}${more}`))
  }
  const timer = screen.live ? setInterval(show, REFRESH_MS).unref() : null
  return {
    wait(deliveryId, what, at) {
      waiting.set(deliveryId, { what, at })
      show()
    },
    done(deliveryId) {
      if (waiting.delete(deliveryId)) show()
    },
    close() {
      if (timer !== null) clearInterval(timer)
      waiting.clear()
      screen.status(null)
    },
  }
}
