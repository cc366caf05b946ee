import type { AttemptOutcome, AttemptRequest, Phases, Transport } from '../core/attempt-outcome.ts'
import { ConnectionPool, DEFAULT_MAX_IDLE_CONNECTIONS } from './connection-pool.ts'
import { Connector, dialTargetOf, type DialTarget } from './connector.ts'
import { DeadlineSweep, type Timing } from './deadline.ts'
import type { EgressPolicy } from './egress-policy.ts'
import { lookUpBySystem, NameResolver, type Lookup } from './name-resolver.ts'
import type { EgressProxy } from './proxy-tunnel.ts'
import { Attempt, type AttemptContext } from './transport-attempt.ts'
import { describeError, type CodedError } from './transport-failure.ts'

export interface TransportOptions {
  /** Asked before every request and every connection. There is no default: nothing is open by omission. */
  egress: EgressPolicy
  /** Milliseconds from an arbitrary start. @default performance.now */
  monotonic?: () => number
  /** Runs a function after some ms of the same clock; the answer takes it back. @default setTimeout, unref'd */
  after?: Timing['after']
  /** @default getaddrinfo, all addresses in the system's order */
  lookup?: Lookup
  /** Idle connections kept over all origins; 0 keeps none. @default 4096 */
  maxIdleConnections?: number
  /** The operator's forward proxy. @default none; the environment is never asked */
  proxy?: EgressProxy | null
  /** PEM roots instead of Node's, which `NODE_EXTRA_CA_CERTS` extends. @throws when it is no PEM */
  ca?: string
}

/** Parsed URLs are kept: endpoints send to the same few over and over, and parsing costs 1 to 2 us. */
const MAX_KEPT_TARGETS = 4096

interface SendTarget extends DialTarget {
  url: URL
  origin: string
  path: string
}

/**
 * The one door out: a POST over HTTP/1.1 through undici's `Client.dispatch`. One deadline bounds everything;
 * redirects are not followed, nothing is decompressed, no cookies are kept, no proxy of the environment is used.
 * Durations are whole milliseconds; a phase that was cut off has the time until then.
 * The number of concurrent sends is bounded by the caller; each uses one connection.
 */
export function createTransport(options: TransportOptions): Transport {
  const monotonic = options.monotonic ?? (() => performance.now())
  const timing: Timing = { monotonic, after: options.after ?? afterTimeout }
  const { egress } = options
  const resolver = new NameResolver(options.lookup ?? lookUpBySystem, monotonic)
  const pool = new ConnectionPool(
    new Connector({ timing, egress, resolver, proxy: options.proxy ?? null, ca: options.ca }),
    options.maxIdleConnections ?? DEFAULT_MAX_IDLE_CONNECTIONS,
  )
  const context: AttemptContext = { monotonic, deadlines: new DeadlineSweep(timing), pool }
  const targets = new Map<string, SendTarget>()
  let closed = false

  const dispatch = (request: AttemptRequest, startedAt: number, resolve: (outcome: AttemptOutcome) => void): void => {
    const target = targetOf(targets, request.url)
    const refusal = egress.checkUrl(target.url)
    if (refusal !== null) {
      resolve(failedAtOnce('blocked_address', refusal.detail))
      return
    }
    const headers = flatHeaders(request.headers)
    const connection = pool.take(target.origin, target)
    const attempt = new Attempt(context, connection, timeoutOf(request), startedAt, resolve)
    context.deadlines.add(attempt)
    connection.client.dispatch({ method: 'POST', path: target.path, headers, body: request.body }, attempt)
  }

  return {
    send: (request) =>
      new Promise((resolve) => {
        if (closed) {
          resolve({ kind: 'not_sent', fault: 'stopping', detail: 'the transport is closed' })
          return
        }
        try {
          dispatch(request, monotonic(), resolve)
        } catch (error) {
          resolve(failedAtOnce('protocol_error', `invalid request: ${describeError(error as CodedError)}`))
        }
      }),
    close: async () => {
      closed = true
      context.deadlines.close()
      await pool.close()
    },
  }
}

/** Anything that is no time ends at the first sweep; more than a timer can hold (24 days) is cut. */
function timeoutOf({ timeoutMs }: AttemptRequest): number {
  return timeoutMs > 0 ? Math.min(timeoutMs, 2 ** 31 - 1) : 0
}

function failedAtOnce(outcome: 'blocked_address' | 'protocol_error', detail: string): AttemptOutcome {
  const phases: Phases = { dns: null, connect: null, tls: null, wait: null }
  return { kind: 'failure', outcome, detail, phases, durationMs: 0 }
}

function targetOf(targets: Map<string, SendTarget>, text: string): SendTarget {
  const known = targets.get(text)
  if (known !== undefined) return known
  const url = new URL(text)
  const target = { ...dialTargetOf(url), url, origin: url.origin, path: url.pathname + url.search }
  if (targets.size >= MAX_KEPT_TARGETS) targets.clear()
  targets.set(text, target)
  return target
}

/** undici's flat list. `accept-encoding: identity` goes out unless the caller asked for something else. */
function flatHeaders(headers: AttemptRequest['headers']): string[] {
  const flat: string[] = []
  let namesEncoding = false
  for (const [name, value] of headers) {
    flat.push(name, value)
    if (name.length === 15 && name.toLowerCase() === 'accept-encoding') namesEncoding = true
  }
  if (!namesEncoding) flat.push('accept-encoding', 'identity')
  return flat
}

/** Unref'd: sockets and lookups keep the process alive while there is something to wait for. */
function afterTimeout(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms)
  timer.unref()
  return () => clearTimeout(timer)
}
