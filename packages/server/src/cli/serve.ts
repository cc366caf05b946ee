import { constants } from 'node:os'
import { pino, type Logger } from 'pino'
import type { LogLevel } from '../config/settings.ts'
import { CliError, EXIT } from './cli-error.ts'

export interface Serving {
  /** Finishes what is under way. */
  stop(): Promise<void>
  /** Settles when the command ends by itself. @default never */
  ended?: Promise<void>
}

export interface ServeContext {
  /** Aborts at the first signal. */
  signal: AbortSignal
  /** To be called when the server cannot go on. */
  onFatal(error: Error): void
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const
/** Some versions of npm hand on a Ctrl-C that the terminal has sent already: so soon, it is the same one. */
const SAME_SIGNAL_MS = 250
/** After a fatal error nothing more can be put on record, so not much is waited for. */
const FATAL_STOP_MS = 2000
/** What a server left open does not keep the process: nothing more can be put on record. */
const EXIT_MS = 500

/**
 * Serves until a signal comes, the command ends by itself, or nothing works any more.
 *
 * ```
 * opening ──▶ serving ──signal, ended──▶ stopping ──▶ exit 0
 *                └──fatal──▶ stopping, 2 s at most ──▶ exit 1
 * ```
 * A second signal ends the process at once.
 * @throws whatever opening, stopping or `ended` throws; CliError after something fatal
 */
export async function serveUntilStopped(open: (context: ServeContext) => Promise<Serving>): Promise<number> {
  const stopping = new AbortController()
  const fatal = new AbortController()
  let firstAt = 0
  const onSignal = (signal: (typeof SIGNALS)[number]) => {
    if (!stopping.signal.aborted) {
      firstAt = performance.now()
      stopping.abort()
    } else if (performance.now() - firstAt > SAME_SIGNAL_MS) process.exit(128 + constants.signals[signal])
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  try {
    const serving = await open({ signal: stopping.signal, onFatal: (error) => fatal.abort(fatalError(error)) })
    try {
      await Promise.race([aborted(stopping.signal), aborted(fatal.signal), serving.ended ?? new Promise(() => {})])
    } finally {
      await (fatal.signal.aborted ? stopSoon(serving) : serving.stop())
    }
    if (fatal.signal.aborted) throw fatal.signal.reason
    return EXIT.ok
  } finally {
    // Otherwise with the code that has been set by then.
    setTimeout(() => process.exit(fatal.signal.aborted ? EXIT.failed : undefined), EXIT_MS).unref()
    for (const signal of SIGNALS) process.off(signal, onSignal)
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

async function stopSoon(serving: Serving): Promise<void> {
  const late = new Promise<void>((resolve) => void setTimeout(resolve, FATAL_STOP_MS).unref())
  await Promise.race([serving.stop().catch(() => {}), late])
}

function fatalError(error: Error): CliError {
  return new CliError(`the database cannot be used any more (${error.message}): check the disk, then start again`)
}

/** JSON lines on standard error, written before the call returns, so that a line survives the end of the process. */
export function createLog(level: LogLevel): Logger {
  return pino({ level, base: null }, pino.destination({ fd: 2, sync: true }))
}
