import type { Agent, Mode } from '../contract/index.ts'
import type { EventError } from '../catalog/index.ts'
import { readBatchOptions, type BatchOptions, type BatchSettings } from './batch-options.ts'
import type { EmitError } from './emit-error.ts'
import type { FetchFunction } from './http.ts'
import { readBindingKeys } from './input-binding.ts'
import { sleep } from './retry.ts'
import type { Spool } from './spool.ts'
import type { OwnSchemas } from './standard-schema.ts'

export interface RunbellOptions<Own extends OwnSchemas = OwnSchemas> {
  /** Base URL of the server, such as `http://127.0.0.1:4600`; a path is kept, `/v1` is added. */
  url: string
  /** `rb_live_…` or `rb_test_…`, with scope `publish`; decides the mode. Waiting for approvals needs `read`, too. */
  key: string
  /** Who acts, for events that do not say. */
  defaultAgent?: Agent
  /** Versions by type that the data is of, as `runbell catalog types` writes them; 1 for all others. */
  schemaVersions?: Readonly<Record<string, number>>
  /** Schemas of your own types (Standard Schema: Zod, Valibot, ArkType, …): data is typed by them and checked before it is sent. */
  schemas?: Own
  /** @default the global fetch */
  fetch?: FetchFunction
  /** For one try, request and answer together, in milliseconds. Above 0. @default 10000 */
  timeoutMs?: number
  /** Tries after the first, on network errors, 429 and 5xx. 0 or more. @default 4 (about 4 seconds in all) */
  retries?: number
  /** Requests on their way at the same time at most. Events of one run never overtake each other. 1 or more. @default 16 */
  maxRequests?: number
  /** Several events a request; `true` for the defaults. @default false: each event is sent at once */
  batch?: boolean | BatchOptions
  /** Events that are neither published nor given up, at most: what memory holds. 1 or more. @default 1000 */
  maxOutstanding?: number
  /** The same, in bytes. 1 or more. @default 16777216 (16 MiB) */
  maxOutstandingBytes?: number
  /** What is dropped, and reported, when that is reached: the new event, or the one that has waited longest. @default 'drop_newest' */
  whenFull?: 'drop_newest' | 'drop_oldest'
  /** Keeps events while the server is away; from `@runbell/sdk/node-spool`. @default none: they are given up after the retries */
  spool?: Spool
  /** Let `emit` reject with an EmitError. Otherwise it resolves with `null` and calls `onError`. @default false */
  strict?: boolean
  /** Gets every event that was lost, where `strict` is off, and why. What it throws is dropped. @default console.warn */
  onError?: (error: EmitError, event: { event_id: string; type: string }) => void
  /**
   * Secrets of your own that `input_binding` is made with (24 bytes or more); the first makes them, all of them are checked.
   * Never the API key, and nobody else's.
   */
  bindingKeys?: string | Uint8Array | readonly (string | Uint8Array)[]
  /** What of an exception may be told, where a run or a tool throws. @default a code by its class, and never its text */
  classifyError?: (error: unknown) => Partial<EventError> | undefined
  /** The `traceparent` of what is being done, for events that bring none. @default none */
  traceparent?: () => string | undefined
  /** The time in milliseconds since 1970. @default Date.now */
  now?: () => number
  /** From 0 to below 1, for jitter. @default Math.random */
  random?: () => number
  /** Waits between tries; ends early when the signal aborts. @default a timer */
  sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<void>
}

export type RunbellSettings = Readonly<{
  key: string
  mode: Mode
  /** Ends in `/v1`. */
  apiUrl: string
  defaultAgent: Agent | undefined
  schemaVersions: Readonly<Record<string, number>>
  schemas: OwnSchemas
  fetch: FetchFunction | undefined
  timeoutMs: number
  retries: number
  maxRequests: number
  batch: BatchSettings | null
  maxOutstanding: number
  maxOutstandingBytes: number
  whenFull: 'drop_newest' | 'drop_oldest'
  spool: Spool | undefined
  strict: boolean
  onError: (error: EmitError, event: { event_id: string; type: string }) => void
  bindingKeys: readonly Uint8Array[]
  classifyError: (error: unknown) => Partial<EventError> | undefined
  traceparent: () => string | undefined
  now: () => number
  random: () => number
  sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>
}>

const KEY_MODE = /^rb_(live|test)_./

/** @throws TypeError for an option that cannot be: at the start, not at the first event */
export function readOptions(options: RunbellOptions): RunbellSettings {
  const mode = KEY_MODE.exec(options.key ?? '')?.[1] as Mode | undefined
  if (mode === undefined) throw new TypeError('key starts with rb_live_ or rb_test_; check the setting that holds it')
  const settings: RunbellSettings = {
    key: options.key,
    mode,
    apiUrl: apiUrl(options.url),
    defaultAgent: options.defaultAgent,
    schemaVersions: options.schemaVersions ?? {},
    schemas: options.schemas ?? {},
    fetch: options.fetch,
    timeoutMs: options.timeoutMs ?? 10_000,
    retries: options.retries ?? 4,
    maxRequests: options.maxRequests ?? 16,
    batch: readBatchOptions(options.batch ?? false),
    maxOutstanding: options.maxOutstanding ?? 1000,
    maxOutstandingBytes: options.maxOutstandingBytes ?? 16 * 1024 * 1024,
    whenFull: options.whenFull ?? 'drop_newest',
    spool: options.spool,
    strict: options.strict ?? false,
    onError: options.onError ?? printError,
    bindingKeys: readBindingKeys(options.bindingKeys ?? []),
    classifyError: options.classifyError ?? (() => undefined),
    traceparent: options.traceparent ?? (() => undefined),
    now: options.now ?? Date.now,
    random: options.random ?? Math.random,
    sleep: options.sleep ?? sleep,
  }
  checkBounds(settings)
  return Object.freeze(settings)
}

function checkBounds(settings: RunbellSettings): void {
  if (!(settings.timeoutMs > 0)) throw new TypeError('timeoutMs is above 0')
  if (!(settings.retries >= 0)) throw new TypeError('retries is 0 or more')
  for (const name of ['maxRequests', 'maxOutstanding', 'maxOutstandingBytes'] as const) {
    if (!(settings[name] >= 1)) throw new TypeError(`${name} is 1 or more`)
  }
  if (settings.whenFull !== 'drop_newest' && settings.whenFull !== 'drop_oldest') {
    throw new TypeError('whenFull is drop_newest or drop_oldest')
  }
}

function apiUrl(base: string): string {
  let url: URL
  try {
    url = new URL(base)
  } catch {
    throw new TypeError('url is the base URL of a Runbell server, such as http://127.0.0.1:4600')
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new TypeError('url starts with http:// or https://')
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1`
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
