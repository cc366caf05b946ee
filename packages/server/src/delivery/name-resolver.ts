import { lookup as systemLookup } from 'node:dns'
import {
  classifyLookupError,
  ConnectFailure,
  describeError,
  type CodedError,
  type FailureVerdict,
} from './transport-failure.ts'

/** One address of a name. */
export interface ResolvedAddress {
  address: string
  family: number
}

/** Finds all addresses of a name; answers once. */
export type Lookup = (
  hostname: string,
  callback: (error: CodedError | null, addresses: readonly ResolvedAddress[]) => void,
) => void

export type ResolveCallback = (failure: ConnectFailure | null, addresses: readonly ResolvedAddress[]) => void

/** Two different names without an answer within this time, and none answered in between: the resolver is down. */
export const RESOLVER_DOWN_WINDOW_MS = 10_000

/** The system's resolver, with `/etc/hosts`, in the order it gives. */
export const lookUpBySystem: Lookup = (hostname, callback) => {
  systemLookup(hostname, { all: true, order: 'verbatim' }, (error, addresses) => callback(error, addresses ?? []))
}

/**
 * Resolves names: at most one lookup per name at a time (libuv runs only two `getaddrinfo` at once, so 64 attempts
 * at one slow name would hold up every other name), and tells a name that fails from a resolver that is down.
 */
export class NameResolver {
  readonly #lookup: Lookup
  readonly #monotonic: () => number
  readonly #waiting = new Map<string, Set<ResolveCallback>>()
  /** Names that failed with EAI_AGAIN since the last answer, with the time; at most two. */
  readonly #unanswered = new Map<string, number>()

  constructor(lookup: Lookup, monotonic: () => number) {
    this.#lookup = lookup
    this.#monotonic = monotonic
  }

  /** Calls back once unless the function it returns was called before. */
  resolve(hostname: string, callback: ResolveCallback): () => void {
    const cancel = (): void => void this.#waiting.get(hostname)?.delete(callback)
    const others = this.#waiting.get(hostname)
    if (others !== undefined) {
      others.add(callback)
      return cancel
    }
    this.#waiting.set(hostname, new Set([callback]))
    let answered = false
    const answer = (error: CodedError | null, addresses: readonly ResolvedAddress[]): void => {
      if (answered) return
      answered = true
      const callbacks = this.#waiting.get(hostname) ?? []
      this.#waiting.delete(hostname)
      const failure = this.#judge(hostname, error, addresses)
      for (const each of callbacks) each(failure, addresses)
    }
    try {
      this.#lookup(hostname, answer)
    } catch (error) {
      answer(error as CodedError, [])
    }
    return cancel
  }

  #judge(hostname: string, error: CodedError | null, addresses: readonly ResolvedAddress[]): ConnectFailure | null {
    if (error?.code === 'EAI_AGAIN') {
      const verdict: FailureVerdict = this.#isDown(hostname) ? { fault: 'no_resolver' } : { outcome: 'dns_failed' }
      return new ConnectFailure(verdict, `looking up ${hostname}: ${describeError(error)}`)
    }
    // ENOTFOUND is an answer too. localhost is none: it comes from a file.
    if (hostname !== 'localhost') this.#unanswered.clear()
    if (error !== null) {
      return new ConnectFailure(classifyLookupError(error), `looking up ${hostname}: ${describeError(error)}`)
    }
    if (addresses.length > 0) return null
    return new ConnectFailure({ outcome: 'dns_failed' }, `looking up ${hostname}: no address`)
  }

  #isDown(hostname: string): boolean {
    const now = this.#monotonic()
    this.#unanswered.delete(hostname)
    for (const [name, at] of this.#unanswered) {
      if (now - at > RESOLVER_DOWN_WINDOW_MS || this.#unanswered.size >= 2) this.#unanswered.delete(name)
    }
    this.#unanswered.set(hostname, now)
    return this.#unanswered.size >= 2
  }
}
