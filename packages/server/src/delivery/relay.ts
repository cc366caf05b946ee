import { attemptId } from '../core/attempt-id.ts'
import type { AttemptOutcome, Phases } from '../core/attempt-outcome.ts'
import type { Clock } from '../core/clock.ts'

/** An attempt as a listener gets it: what an HTTP request would carry. */
export interface RelayedAttempt {
  attemptId: string
  deliveryId: string
  number: number
  headers: [name: string, value: string][]
  body: Uint8Array
  timeoutMs: number
}

/** Whoever listens for the attempts of one endpoint. */
export interface RelayListener {
  /** `false`: it has not read what it was given before; nothing more was added. */
  take(attempt: RelayedAttempt): boolean
  end(reason: RelayEnd): void
}

/** Why a listener is sent away: another one listens now, or the endpoint is gone. */
export type RelayEnd = 'replaced' | 'endpoint_gone'

/** What a listener says an attempt came to. */
export type RelayOutcome = Exclude<AttemptOutcome, { kind: 'not_sent' }>

/** What is sent: a delivery's attempt, signed. */
export interface RelaySend {
  endpointId: string
  deliveryId: string
  number: number
  headers: [name: string, value: string][]
  body: Uint8Array
  timeoutMs: number
}

const NO_PHASES: Phases = { dns: null, connect: null, tls: null, wait: null }

interface HandedOut {
  endpointId: string
  settle(outcome: AttemptOutcome): void
  timeOut(): void
}

/**
 * Hands attempts of relay endpoints to whoever listens, in the place of the door out, and waits for what came of each (details 19). Which
 * attempts start, and that they are on record first, is the engine's matter as with any other endpoint.
 *
 *     sent ── taken by the listener ──▶ handed out ── outcome told ──▶ that outcome
 *       └── nobody listens, or reads ──▶ not sent   └── in time nothing is told ──▶ timeout
 */
export class Relay {
  readonly #clock: Pick<Clock, 'after' | 'monotonic'>
  readonly #listeners = new Map<string, RelayListener>()
  /** By attempt. */
  readonly #handedOut = new Map<string, HandedOut>()
  #isStopping = false
  #onDrained = () => {}

  constructor(clock: Pick<Clock, 'after' | 'monotonic'>) {
    this.#clock = clock
  }

  /** Returns what to call when it has left. Whoever listened before is sent away. */
  attach(endpointId: string, listener: RelayListener): () => void {
    const before = this.#listeners.get(endpointId)
    this.#listeners.set(endpointId, listener)
    before?.end('replaced')
    return () => {
      if (this.#listeners.get(endpointId) === listener) this.#listeners.delete(endpointId)
    }
  }

  isOpen(endpointId: string): boolean {
    return !this.#isStopping && this.#listeners.has(endpointId)
  }

  /** The endpoints somebody listens for here. */
  endpoints(): string[] {
    return [...this.#listeners.keys()]
  }

  /** Sends a listener away. What it was given may still be answered. */
  dismiss(endpointId: string, reason: RelayEnd): void {
    const listener = this.#listeners.get(endpointId)
    this.#listeners.delete(endpointId)
    listener?.end(reason)
  }

  /** Hands out nothing more. Resolves when every outcome is told; what is not told within `ms` ends as it would in time. */
  async stop(ms: number): Promise<void> {
    this.#isStopping = true
    if (this.#handedOut.size === 0) return
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(ms, resolve)
      this.#onDrained = () => {
        cancel()
        resolve()
      }
    })
    for (const { timeOut } of [...this.#handedOut.values()]) timeOut()
  }

  /** Never rejects; resolves within `timeoutMs`. */
  send({ endpointId, deliveryId, number, headers, body, timeoutMs }: RelaySend): Promise<AttemptOutcome> {
    const id = attemptId(deliveryId, number)
    const began = this.#clock.monotonic()
    return new Promise((resolve) => {
      const listener = this.#isStopping ? undefined : this.#listeners.get(endpointId)
      const taken = listener?.take({ attemptId: id, deliveryId, number, headers, body, timeoutMs })
      if (taken !== true) return resolve({ kind: 'not_sent', fault: 'no_resources', detail: 'nobody listens' })
      const settle = (outcome: AttemptOutcome) => {
        cancel()
        this.#handedOut.delete(id)
        if (this.#handedOut.size === 0) this.#onDrained()
        resolve(outcome)
      }
      const timeOut = () => {
        const durationMs = this.#clock.monotonic() - began
        const detail = 'the listener told no outcome'
        settle({ kind: 'failure', outcome: 'timeout', detail, phases: NO_PHASES, durationMs })
      }
      const cancel = this.#clock.after(timeoutMs, timeOut)
      this.#handedOut.set(id, { endpointId, settle, timeOut })
    })
  }

  /** `false`: no such attempt of this endpoint is handed out here, or it has ended. */
  settle(endpointId: string, id: string, outcome: RelayOutcome): boolean {
    const handedOut = this.#handedOut.get(id)
    if (handedOut === undefined || handedOut.endpointId !== endpointId) return false
    handedOut.settle(outcome)
    return true
  }
}
