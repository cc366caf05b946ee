import type { AttemptLine } from '../../delivery/run-delivery.ts'
import { CliError } from '../cli-error.ts'

/** Every attempt so far, and a way to wait for more without asking again and again. */
export interface AttemptWatch {
  lines: readonly AttemptLine[]
  add(line: AttemptLine): void
  /**
   * Resolves when the condition holds; it is looked at after every attempt.
   * @throws CliError after 30 seconds, and when the signal aborts
   */
  until(what: string, holds: (lines: readonly AttemptLine[]) => boolean): Promise<void>
}

const PATIENCE_MS = 30_000

export function createAttemptWatch(signal: AbortSignal): AttemptWatch {
  const lines: AttemptLine[] = []
  let look = () => {}
  return {
    lines,
    add(line) {
      lines.push(line)
      look()
    },
    until(what, holds) {
      return new Promise((resolve, reject) => {
        const finish = (settle: () => void) => {
          clearTimeout(timer)
          signal.removeEventListener('abort', onAbort)
          look = () => {}
          settle()
        }
        const onAbort = () => finish(() => reject(new CliError('the demonstration was interrupted')))
        const late = new CliError(
          `the demonstration waited ${PATIENCE_MS / 1000} s in vain for ${what}: see the lines above`,
        )
        const timer = setTimeout(() => finish(() => reject(late)), PATIENCE_MS)
        signal.addEventListener('abort', onAbort, { once: true })
        look = () => {
          if (holds(lines)) finish(resolve)
        }
        look()
        if (signal.aborted) onAbort()
      })
    },
  }
}

/** The delivery has come to its end, at least for now. */
export function isLast({ verdict }: AttemptLine): boolean {
  return verdict === 'delivered' || verdict === 'dead_letter'
}
