import type { EndpointRow } from '../store/rows.ts'
import { Circuit, type CircuitState } from './circuit.ts'

/** A new endpoint starts with this many requests at once, and earns more. */
const FIRST_LIMIT = 2

/** One endpoint's share of the work: what is in flight, how much may be, and when the next delivery is due. */
export class Lane {
  readonly endpointId: string
  /** Whose it is; empty until its endpoint has been read. */
  tenantId = ''
  /** Slots taken: attempts in flight and slots reserved for attempts being put on record. */
  inFlight = 0
  /** When the first waiting delivery is due (service time); `null`: none is known. */
  nextDue: number | null = null
  /** When the heap of due lanes names this one next; `null`: it does not. */
  queuedAt: number | null = null
  /** Where in that heap. */
  queuedIndex = 0
  /** Requests to it are not answered soon: it has slots of its own kind. */
  isSlow = false
  /** It has answered soon at least once. */
  hasAnswered = false
  /** Whether it is worth sending to. */
  readonly circuit = new Circuit()
  /** Counts the wake-ups, so that an answer read before one does not undo it. */
  wakes = 0
  /** Requests at once that the endpoint has earned: grows by one with each success, halves with each failure. */
  #limit = FIRST_LIMIT
  #tokens = 1
  #refilledAt: number | null = null

  constructor(endpointId: string) {
    this.endpointId = endpointId
  }

  /** How many more attempts may start now. `monotonic` in ms. */
  free(endpoint: Paced, monotonic: number): number {
    const slots = Math.min(endpoint.maxInFlight, this.#limit, this.circuit.limit(monotonic)) - this.inFlight
    return Math.max(0, Math.min(slots, this.#available(endpoint, monotonic)))
  }

  /** Takes one slot. */
  take(endpoint: Paced): void {
    this.inFlight++
    if (endpoint.rateLimit !== null) this.#tokens--
  }

  /** Gives a slot back that no attempt used: it does not count for the rate limit either. */
  giveBack(): void {
    this.inFlight--
    this.#tokens++
  }

  /** Ms until the rate limit lets another attempt start; 0 where it is not in the way. */
  waitForRate(endpoint: Paced, monotonic: number): number {
    if (endpoint.rateLimit === null || this.#available(endpoint, monotonic) >= 1) return 0
    return Math.ceil(((1 - this.#tokens) * 1000) / endpoint.rateLimit)
  }

  /** After a circuit has closed it begins with one request at once, as few as there are. */
  succeeded(endpoint: Paced): void {
    if (this.circuit.succeeded()) this.#limit = 1
    if (this.#limit < endpoint.maxInFlight) this.#limit++
  }

  /** Requests at once that it has earned. */
  get limit(): number {
    return this.#limit
  }

  /** A failure that more requests at once would make worse. */
  failed(): void {
    this.#limit = Math.max(1, Math.floor(this.#limit / 2))
  }

  /** Whole tokens of the rate limit's bucket, which holds one second's worth. */
  #available(endpoint: Paced, monotonic: number): number {
    const rate = endpoint.rateLimit
    if (rate === null) {
      this.#tokens = 1
      this.#refilledAt = null
      return Infinity
    }
    const elapsed = this.#refilledAt === null ? 0 : monotonic - this.#refilledAt
    this.#refilledAt = monotonic
    this.#tokens = Math.min(rate, this.#tokens + (elapsed * rate) / 1000)
    return Math.floor(this.#tokens)
  }
}

/** How many requests an endpoint takes. */
type Paced = Pick<EndpointRow, 'maxInFlight' | 'rateLimit'>

/** So many slots of a lane, for one claim. */
export interface SlotRequest {
  lane: Lane
  limit: number
  wakes: number
}

/** What is known of an endpoint in memory of this node. */
export interface LaneState {
  circuit: CircuitState
  inFlight: number
  /** Requests at once that it has earned. */
  limit: number
  /** Its requests are not answered within half a second. */
  isSlow: boolean
}
