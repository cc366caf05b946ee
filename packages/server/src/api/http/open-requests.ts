import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

interface Open {
  count: number
  /** The one that came last. */
  latest: IncomingMessage
  /** Nothing more is answered. */
  closing: boolean
}

/**
 * Which connections have requests that are still to be answered. What cannot be read after one of them must not be answered in its place:
 * its client would take that for the answer to a request that may have been carried out (guarantee G2).
 */
export class OpenRequests {
  readonly #open = new WeakMap<Duplex, Open>()

  begin(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const open = this.#open.get(incoming.socket) ?? { count: 0, latest: incoming, closing: false }
    open.count += 1
    open.latest = incoming
    this.#open.set(incoming.socket, open)
    outgoing.once('close', () => (open.count -= 1))
  }

  /** Nothing more is answered on this connection. */
  last({ socket }: IncomingMessage): void {
    const open = this.#open.get(socket)
    if (open !== undefined) open.closing = true
  }

  /** Whether an error of the parser may be answered: nothing is open, or just the request whose body it is about. */
  mayAnswerError(socket: Duplex): boolean {
    const open = this.#open.get(socket)
    if (open === undefined) return true
    return !open.closing && (open.count === 0 || (open.count === 1 && !open.latest.complete))
  }
}
