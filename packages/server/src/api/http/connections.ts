import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** Requests of one connection that wait for their answers; who sends more ahead is cut off. */
const MAX_PIPELINED = 256

/** How long a refused connection may take to fetch its answer. */
const LINGER_MS = 1000

interface Connection {
  /** Not yet answered to the end, in the order they came. */
  open: Set<ServerResponse>
  latest: { incoming: IncomingMessage; outgoing: ServerResponse } | null
  refused: boolean
}

/**
 * What is under way on each connection. An error of the parser concerns what came last, and must not be taken for the
 * answer to an earlier request that was accepted: a 4xx of ours means that nothing was stored.
 */
export class Connections {
  readonly #bySocket = new WeakMap<Duplex, Connection>()

  /** Keeps a request until it is answered. @returns `false`: one too many; the connection is cut. */
  begin(incoming: IncomingMessage, outgoing: ServerResponse): boolean {
    const { socket } = incoming
    const connection = this.#of(socket)
    const { open } = connection
    connection.latest = { incoming, outgoing }
    if (open.size >= MAX_PIPELINED) {
      socket.destroy()
      return false
    }
    open.add(outgoing)
    outgoing.once('close', () => open.delete(outgoing))
    return true
  }

  /** Writes a whole answer when it is its turn, unless the request it is for has one, and ends the connection. */
  async refuse(socket: Duplex, answer: string): Promise<void> {
    const connection = this.#of(socket)
    // The parser reports the same error again with everything that comes after it.
    if (connection.refused) return
    connection.refused = true
    const { latest, open } = connection
    const broken = latest === null || latest.incoming.complete ? null : latest.outgoing
    const earlier = [...open].filter((outgoing) => outgoing !== broken)
    await Promise.all(earlier.map((outgoing) => new Promise<void>((resolve) => outgoing.once('close', resolve))))
    if (!socket.writable) return void socket.destroy()
    const late = setTimeout(() => socket.destroy(), LINGER_MS)
    socket.once('close', () => clearTimeout(late))
    socket.end(broken?.headersSent === true ? '' : answer)
  }

  #of(socket: Duplex): Connection {
    const known = this.#bySocket.get(socket)
    if (known !== undefined) return known
    const fresh: Connection = { open: new Set(), latest: null, refused: false }
    this.#bySocket.set(socket, fresh)
    return fresh
  }
}
