import type { Socket } from 'node:net'
import { Client, type buildConnector } from 'undici'
import type { Phases } from '../core/attempt-outcome.ts'
import type { Connector, DialTarget } from './connector.ts'

/** Response headers in all, bytes (guarantees.md, "Egress" 4). */
export const MAX_RESPONSE_HEADER_BYTES = 16_384

/** How long an idle connection is kept where the receiver says nothing, ms. Short: see `Attempt.onResponseError`. */
const KEEP_ALIVE_MS = 4000

/** The most a receiver's `keep-alive: timeout=` may ask for, ms. */
const KEEP_ALIVE_MAX_MS = 30_000

/** Taken off what the receiver says, so that we close first, ms. */
const KEEP_ALIVE_MARGIN_MS = 1000

/** Idle connections kept over all origins by default: a socket and about 20 KB each. */
export const DEFAULT_MAX_IDLE_CONNECTIONS = 4096

const CLIENT_OPTIONS: Client.Options = {
  pipelining: 1,
  useMilo: false,
  allowH2: false,
  maxHeaderSize: MAX_RESPONSE_HEADER_BYTES,
  // Off: both start again with every 1xx or chunk. The deadline sweep bounds the whole attempt.
  headersTimeout: 0,
  bodyTimeout: 0,
  keepAliveTimeout: KEEP_ALIVE_MS,
  keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
  keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
}

/** One undici client, which is one connection, for one attempt at a time. */
export class PooledConnection {
  readonly origin: string
  readonly client: Client
  /** The open socket, or the last one. */
  socket: Socket | null = null
  /** Whose phases the next connection is timed for. */
  phases: Phases | null = null
  readonly #connector: Connector
  readonly #target: DialTarget
  #cancelConnect: (() => void) | null = null

  constructor(origin: string, target: DialTarget, connector: Connector) {
    this.origin = origin
    this.#target = target
    this.#connector = connector
    const connect: buildConnector.connector = (_options, callback) => this.#connect(callback)
    this.client = new Client(origin, { ...CLIENT_OPTIONS, connect })
  }

  /** Ends a connection that is still being made, half-open sockets included; says nothing to undici. */
  cancelConnect(): void {
    this.#cancelConnect?.()
  }

  /** Destroys the connection in whatever state it is; not from within a callback of its parser. */
  async destroy(): Promise<void> {
    this.cancelConnect()
    await this.client.destroy()
  }

  #connect(callback: buildConnector.Callback): void {
    const phases = this.phases ?? { dns: null, connect: null, tls: null, wait: null }
    this.#cancelConnect = this.#connector.connect(this.#target, phases, (failure, socket) => {
      if (socket === null) {
        callback(failure ?? new Error('no socket'), null)
        return
      }
      this.socket = socket
      callback(null, socket)
    })
  }
}

/**
 * Connections by origin. A pool of our own over undici's `Client`, and not its `Agent`, because one client per attempt
 * is what lets a deadline reach a connection that is still being made (an Agent has no handle on a request before its
 * socket is open), tells reused connections from new ones, and bounds idle ones over all origins. It holds nothing
 * for an origin without idle connections, so 100,000 origins leave nothing behind.
 */
export class ConnectionPool {
  readonly #connector: Connector
  readonly #maxIdle: number
  readonly #idleByOrigin = new Map<string, PooledConnection[]>()
  /** All idle connections, longest idle first. */
  readonly #idle = new Set<PooledConnection>()
  #closed = false

  constructor(connector: Connector, maxIdle: number) {
    this.#connector = connector
    this.#maxIdle = maxIdle
  }

  get idleCount(): number {
    return this.#idle.size
  }

  /** The idle connection used last, which is the least likely to be stale; otherwise a new one, not yet connected. */
  take(origin: string, target: DialTarget): PooledConnection {
    const list = this.#idleByOrigin.get(origin)
    for (let connection = list?.pop(); connection !== undefined; connection = list?.pop()) {
      this.#idle.delete(connection)
      if (list?.length === 0) this.#idleByOrigin.delete(origin)
      if (connection.socket?.destroyed === false) return connection
    }
    const fresh = new PooledConnection(origin, target, this.#connector)
    fresh.client.on('disconnect', () => this.#forget(fresh))
    return fresh
  }

  /** Takes back a connection whose response was read to its end. */
  release(connection: PooledConnection): void {
    connection.phases = null
    if (this.#closed || connection.socket === null) {
      discard(connection)
      return
    }
    const list = this.#idleByOrigin.get(connection.origin)
    // A second one would cost another origin its only one: endpoints in turn would each find theirs just gone.
    if (list !== undefined && this.#idle.size >= this.#maxIdle / 2) {
      discard(connection)
      return
    }
    if (list === undefined) this.#idleByOrigin.set(connection.origin, [connection])
    else list.push(connection)
    this.#idle.add(connection)
    if (this.#idle.size <= this.#maxIdle) return
    for (const oldest of this.#idle) {
      this.#forget(oldest)
      discard(oldest)
      break
    }
  }

  /** Destroys idle connections now and every other when it is released. */
  async close(): Promise<void> {
    this.#closed = true
    const idle = [...this.#idle]
    this.#idle.clear()
    this.#idleByOrigin.clear()
    await Promise.all(idle.map((connection) => connection.destroy()))
  }

  #forget(connection: PooledConnection): void {
    if (!this.#idle.delete(connection)) return
    const list = this.#idleByOrigin.get(connection.origin)
    if (list === undefined) return
    const index = list.indexOf(connection)
    if (index >= 0) list.splice(index, 1)
    if (list.length === 0) this.#idleByOrigin.delete(connection.origin)
  }
}

/** In a microtask: a client must not be destroyed while its parser is calling us. */
export function discard(connection: PooledConnection): void {
  queueMicrotask(() => {
    connection.destroy().catch(() => {})
  })
}
