import type { Agent, Mode } from '../contract/index.ts'
import type { EmitError } from './emit-error.ts'
import type { FetchFunction } from './http.ts'
import { sleep } from './retry.ts'

export interface RunbellOptions {
  /** Base URL of the server, such as `http://127.0.0.1:4600`; a path is kept, `/v1` is added. */
  url: string
  /** `rb_live_…` or `rb_test_…`, with scope `publish`; decides the mode. */
  key: string
  /** Who acts, for events that do not say. */
  defaultAgent?: Agent
  /** Versions by type that the data is of, as `runbell catalog types` writes them; 1 for all others. */
  schemaVersions?: Readonly<Record<string, number>>
  /** @default the global fetch */
  fetch?: FetchFunction
  /** For one try, request and answer together, in milliseconds. Above 0. @default 10000 */
  timeoutMs?: number
  /** Tries after the first, on network errors, 429 and 5xx. 0 or more. @default 4 (about 4 seconds in all) */
  retries?: number
  /** Events being sent at the same time at most; one more is refused and not kept. 1 or more. @default 1000 */
  maxOutstanding?: number
  /** Let `emit` reject with an EmitError. Otherwise it resolves with `null` and calls `onError`. @default false */
  strict?: boolean
  /** Gets what could not be published, where `strict` is off. What it throws is dropped. @default console.warn */
  onError?: (error: EmitError, event: { event_id: string; type: string }) => void
  /** The time in milliseconds since 1970. @default Date.now */
  now?: () => number
  /** From 0 to below 1, for jitter. @default Math.random */
  random?: () => number
  /** Waits between tries; ends early when the signal aborts. @default a timer */
  sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<void>
}

export type RunbellSettings = Readonly<
  Required<Omit<RunbellOptions, 'fetch' | 'defaultAgent' | 'url'>> & {
    fetch: FetchFunction | undefined
    defaultAgent: Agent | undefined
    /** Where events are posted to. */
    eventsUrl: string
    mode: Mode
  }
>

const KEY_MODE = /^rb_(live|test)_./

/** @throws TypeError for an option that cannot be: at the start, not at the first event */
export function readOptions(options: RunbellOptions): RunbellSettings {
  const mode = KEY_MODE.exec(options.key ?? '')?.[1] as Mode | undefined
  if (mode === undefined) throw new TypeError('key starts with rb_live_ or rb_test_; check the setting that holds it')
  const settings = {
    key: options.key,
    mode,
    eventsUrl: eventsUrl(options.url),
    defaultAgent: options.defaultAgent,
    schemaVersions: options.schemaVersions ?? {},
    fetch: options.fetch,
    timeoutMs: options.timeoutMs ?? 10_000,
    retries: options.retries ?? 4,
    maxOutstanding: options.maxOutstanding ?? 1000,
    strict: options.strict ?? false,
    onError: options.onError ?? printError,
    now: options.now ?? Date.now,
    random: options.random ?? Math.random,
    sleep: options.sleep ?? sleep,
  }
  if (!(settings.timeoutMs > 0)) throw new TypeError('timeoutMs is above 0')
  if (!(settings.retries >= 0)) throw new TypeError('retries is 0 or more')
  if (!(settings.maxOutstanding >= 1)) throw new TypeError('maxOutstanding is 1 or more')
  return Object.freeze(settings)
}

function eventsUrl(base: string): string {
  let url: URL
  try {
    url = new URL(base)
  } catch {
    throw new TypeError('url is the base URL of a Runbell server, such as http://127.0.0.1:4600')
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new TypeError('url starts with http:// or https://')
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/events`
  url.search = ''
  url.hash = ''
  return url.href
}

function printError(error: EmitError, event: { event_id: string; type: string }): void {
  // oxlint-disable-next-line no-console -- a lost event must not be silent where nobody set onError
  console.warn(
    `runbell: ${event.type} ${event.event_id} was not published: ${error.code}: ${error.message} ${error.fix}`,
  )
}
