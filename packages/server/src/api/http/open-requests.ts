import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

interface Open {
  incoming: IncomingMessage
  outgoing: ServerResponse
  /** The answer before this one; answers leave in order, so with it all others have left. `null`: there was none. */
  before: ServerResponse | null
  /** Nothing more is answered. */
  closing: boolean
}

/**
 * Which connections have requests that are still to be answered. What cannot be read after one of them must not be answered in its place:
 * its client would take that for the answer to a request that may have been carried out (guarantee G2).
 */
export class OpenRequests {
  readonly #latest = new WeakMap<Duplex, Open>()

  begin(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const before = this.#latest.get(incoming.socket)?.outgoing ?? null
    this.#latest.set(incoming.socket, { incoming, outgoing, before, closing: false })
  }

  /** Nothing more is answered on this connection. */
  last({ socket }: IncomingMessage): void {
    const latest = this.#latest.get(socket)
    if (latest !== undefined) latest.closing = true
  }

  /** Whether an error of the parser may be answered: nothing is open, or just the request whose body it is about. */
  mayAnswerError(socket: Duplex): boolean {
    const latest = this.#latest.get(socket)
    if (latest === undefined) return true
    const { incoming, outgoing, before, closing } = latest
    if (closing) return false
    return outgoing.writableFinished || (!incoming.complete && before?.writableFinished !== false)
  }
}
