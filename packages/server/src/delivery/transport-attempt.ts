import type { Dispatcher } from 'undici'
import type { AttemptOutcome, Phases } from '../core/attempt-outcome.ts'
import { discard, type ConnectionPool, type PooledConnection } from './connection-pool.ts'
import type { DeadlineSweep, Expiring } from './deadline.ts'
import { classifyError, describeError, type CodedError, type FailureVerdict } from './transport-failure.ts'

/** Bytes of a response body that are kept (guarantee G11). */
export const MAX_EXCERPT_BYTES = 16_384

/** A body up to this long is read to its end, so that its connection can be used again; a longer one costs it. */
export const MAX_DRAINED_BYTES = 65_536

/** More 1xx responses than this are an attack: 103 has a use once or twice. */
export const MAX_INFORMATIONAL_RESPONSES = 100

/** What attempts share. */
export interface AttemptContext {
  monotonic: () => number
  deadlines: DeadlineSweep
  pool: ConnectionPool
}

const NO_BYTES = new Uint8Array(0)

/**
 * One request on its way, as undici's handler and as an entry of the deadline sweep.
 *
 * ```
 * connecting ──onRequestStart──▶ written ──onResponseStart──▶ reading ──onResponseEnd──▶ response, connection kept
 *     │                             │                            ├──error, deadline, body too long──▶ response
 *     └──error, deadline────────────┴──────────────────────────────▶ failure or not_sent
 * ```
 *
 * From `reading` on the outcome is a response whatever happens. All but the first end lose the connection.
 */
export class Attempt implements Expiring, Dispatcher.DispatchHandler {
  readonly deadlineAt: number
  readonly phases: Phases = { dns: null, connect: null, tls: null, wait: null }
  readonly #context: AttemptContext
  readonly #connection: PooledConnection
  readonly #reused: boolean
  readonly #resolve: (outcome: AttemptOutcome) => void
  readonly #startedAt: number
  #settled = false
  #controller: Dispatcher.DispatchController | null = null
  #sentAt: number | null = null
  #informational = 0
  #status = 0
  #headers: Record<string, string> = {}
  #excerpt = NO_BYTES
  #kept = 0
  #received = 0

  constructor(
    context: AttemptContext,
    connection: PooledConnection,
    timeoutMs: number,
    startedAt: number,
    resolve: (outcome: AttemptOutcome) => void,
  ) {
    this.#context = context
    this.#connection = connection
    this.#reused = connection.socket !== null
    this.#resolve = resolve
    this.#startedAt = startedAt
    this.deadlineAt = startedAt + timeoutMs
    connection.phases = this.phases
  }

  /** The connection is open and the request is about to be written: from here on its bytes may have left. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    // undici never writes a failed POST again; should a version ever do so, G8 holds all the same.
    if (this.#settled || this.#controller !== null) {
      controller.abort(new Error('already sent'))
      return
    }
    this.#controller = controller
  }

  onRequestSent(): void {
    this.#sentAt = this.#context.monotonic()
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (this.#settled) return
    // 100 and 101 end in an error of undici: neither was asked for.
    if (status < 200) {
      this.#informational += 1
      if (this.#informational <= MAX_INFORMATIONAL_RESPONSES) return
      return this.#abort(`more than ${MAX_INFORMATIONAL_RESPONSES} informational responses`)
    }
    this.#endWait()
    this.#status = status
    this.#headers = flatten(headers)
    const length = Number(this.#headers['content-length'])
    // Nothing can be learned by reading on once the excerpt is full, and then this connection is lost.
    if (length > MAX_DRAINED_BYTES) this.#received = MAX_DRAINED_BYTES - MAX_EXCERPT_BYTES
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled) return
    this.#received += chunk.length
    if (this.#kept < MAX_EXCERPT_BYTES) this.#keep(chunk)
    if (this.#received < MAX_DRAINED_BYTES) return
    this.#settleResponse(true)
    controller.abort(new Error('body longer than is read'))
  }

  onResponseEnd(): void {
    if (this.#settled) return
    this.#settleResponse(this.#received > this.#kept)
    this.#context.pool.release(this.#connection)
  }

  /**
   * Any end but a complete response. An error on a reused connection before the response is not tried again:
   * when undici wrote, the receiver may have the request, and a second one would break G8. (When the connection turns
   * out closed before undici writes, undici connects anew by itself.) So idle connections are kept for seconds only.
   */
  onResponseError(_controller: Dispatcher.DispatchController | null, error: CodedError): void {
    if (this.#settled) return
    if (this.#status !== 0) return this.#settleResponse(true)
    this.#endWait()
    const stale = this.#reused && this.phases.connect === null && this.#controller !== null
    const note = stale ? ' on a kept-alive connection; not sent again, the request may have arrived' : ''
    this.#settleFailure(classifyError(error), describeError(error) + note)
    discard(this.#connection)
  }

  /** The deadline passed. */
  expire(): void {
    if (this.#settled) return
    if (this.#status !== 0) this.#settleResponse(true)
    else {
      // First, so that the phase it was in has its duration.
      this.#connection.cancelConnect()
      this.#endWait()
      const ms = Math.round(this.deadlineAt - this.#startedAt)
      this.#settleFailure({ outcome: 'timeout' }, `no response headers within ${ms} ms, ${this.#whereItWas()}`)
    }
    // Without a controller the request still waits in undici; with one, this destroys the socket.
    if (this.#controller === null) discard(this.#connection)
    else this.#controller.abort(new Error('deadline'))
  }

  /** Copies into one array that doubles: a list of parts would let 16,384 chunks of one byte cost 1.6 MB. */
  #keep(chunk: Uint8Array): void {
    const end = Math.min(this.#kept + chunk.length, MAX_EXCERPT_BYTES)
    if (end > this.#excerpt.length) {
      const larger = new Uint8Array(Math.min(Math.max(end, 2 * this.#excerpt.length), MAX_EXCERPT_BYTES))
      larger.set(this.#excerpt)
      this.#excerpt = larger
    }
    this.#excerpt.set(chunk.subarray(0, end - this.#kept), this.#kept)
    this.#kept = end
  }

  #abort(detail: string): void {
    this.#endWait()
    this.#settleFailure({ outcome: 'protocol_error' }, detail)
    this.#controller?.abort(new Error(detail))
  }

  #whereItWas(): string {
    if (this.#controller !== null) return this.#informational > 0 ? 'after informational responses' : 'after sending'
    const { dns, connect, tls } = this.phases
    if (tls !== null) return 'during the TLS handshake'
    if (connect !== null) return 'while connecting'
    return dns !== null ? 'while looking up the name' : 'before connecting'
  }

  #endWait(): void {
    if (this.#sentAt !== null) this.phases.wait = Math.round(this.#context.monotonic() - this.#sentAt)
  }

  #settleResponse(truncated: boolean): void {
    this.#settle({
      kind: 'response',
      status: this.#status,
      headers: this.#headers,
      excerpt: this.#excerpt.length === this.#kept ? this.#excerpt : this.#excerpt.slice(0, this.#kept),
      truncated,
      phases: this.phases,
      durationMs: this.#duration(),
    })
  }

  #settleFailure(verdict: FailureVerdict, detail: string): void {
    if (verdict.fault !== undefined) this.#settle({ kind: 'not_sent', fault: verdict.fault, detail })
    else {
      const durationMs = this.#duration()
      this.#settle({ kind: 'failure', outcome: verdict.outcome, detail, phases: this.phases, durationMs })
    }
  }

  #settle(outcome: AttemptOutcome): void {
    this.#settled = true
    this.#context.deadlines.delete(this)
    this.#resolve(outcome)
  }

  #duration(): number {
    return Math.round(this.#context.monotonic() - this.#startedAt)
  }
}

/** undici makes a fresh object with lower-case names for each response; it is changed in place. */
function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  for (const name in headers) {
    const value = headers[name]
    if (typeof value !== 'string') headers[name] = value?.join(', ') ?? ''
  }
  // A header of this name is an own property here, and a trap for whoever copies the object.
  if (Object.hasOwn(headers, '__proto__')) delete headers['__proto__']
  return headers as Record<string, string>
}
