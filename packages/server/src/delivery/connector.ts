import { isIP, type Socket } from 'node:net'
import { connect as connectTls, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import type { Phases } from '../core/attempt-outcome.ts'
import type { Timing } from './deadline.ts'
import { dial, type DialError, type VettedAddress } from './dial.ts'
import { literalOf, type EgressPolicy, type Refusal } from './egress-policy.ts'
import { openTunnel, type EgressProxy } from './proxy-tunnel.ts'
import type { NameResolver, ResolvedAddress } from './name-resolver.ts'
import { ConnectFailure, describeError, isOwnFault, type CodedError } from './transport-failure.ts'

/** Host, port and scheme of an origin. */
export interface DialTarget {
  protocol: string
  /** Without the brackets of an IPv6 literal. */
  hostname: string
  port: number
}

/** Either a socket ready for the first byte of HTTP, or why there is none. */
export type ConnectCallback = (failure: ConnectFailure | null, socket: Socket | null) => void

export interface ConnectorOptions {
  timing: Timing
  egress: EgressPolicy
  resolver: NameResolver
  /** The operator's forward proxy; `null`: connections are made from here. */
  proxy?: EgressProxy | null
  /** PEM roots instead of Node's. */
  ca?: string | undefined
}

/** TLS sessions kept for resumption, which saves about 1 ms of CPU; the oldest goes first. */
const MAX_TLS_SESSIONS = 1000

/** The one way to a new connection: name, addresses, policy, TCP, policy again, TLS. */
export class Connector {
  readonly #options: ConnectorOptions
  readonly #sessions = new Map<string, Buffer>()
  /** Shared: loading the root certificates anew for each connection costs several ms. */
  readonly #secureContext: SecureContext

  constructor(options: ConnectorOptions) {
    this.#options = options
    this.#secureContext = createSecureContext({
      minVersion: 'TLSv1.2',
      ...(options.ca === undefined ? {} : { ca: options.ca }),
    })
  }

  /** Writes durations into `phases` as it goes on; the function it returns takes everything back. */
  connect(target: DialTarget, phases: Phases, callback: ConnectCallback): () => void {
    const opening = new Opening(this.#options, target, phases, this, callback)
    opening.start()
    return () => opening.cancel()
  }

  /** Starts TLS on a connected socket. The name, not the address, is checked against the certificate. */
  startTls(socket: Socket, { hostname, port }: DialTarget): TLSSocket {
    const name = hostname.endsWith('.') ? hostname.slice(0, -1) : hostname
    const sessionKey = `${name}:${port}`
    const session = this.#sessions.get(sessionKey)
    const tls = connectTls({
      socket,
      host: name,
      ALPNProtocols: ['http/1.1'],
      secureContext: this.#secureContext,
      rejectUnauthorized: true,
      ...(isIP(name) === 0 ? { servername: name } : {}),
      ...(session === undefined ? {} : { session }),
    })
    // A resumed session is not checked against the name again, so only a session whose certificate passed is kept
    // (TLS 1.2 hands it out before the check).
    let passed = false
    let early: Buffer | null = null
    tls.on('session', (next: Buffer) => {
      if (passed) this.#keepSession(sessionKey, next)
      else early = next
    })
    tls.once('secureConnect', () => {
      passed = true
      if (early !== null) this.#keepSession(sessionKey, early)
    })
    return tls
  }

  #keepSession(key: string, session: Buffer): void {
    this.#sessions.delete(key)
    this.#sessions.set(key, session)
    if (this.#sessions.size <= MAX_TLS_SESSIONS) return
    const oldest = this.#sessions.keys().next().value
    if (oldest !== undefined) this.#sessions.delete(oldest)
  }
}

/** One connection on its way: dns, then connect, then tls, or an end in any of them. */
class Opening {
  readonly #options: ConnectorOptions
  readonly #target: DialTarget
  readonly #phases: Phases
  readonly #connector: Connector
  readonly #callback: ConnectCallback
  #phase: 'dns' | 'connect' | 'tls' | null = null
  #phaseStartedAt = 0
  #undo: (() => void) | null = null
  #ended = false

  constructor(
    options: ConnectorOptions,
    target: DialTarget,
    phases: Phases,
    connector: Connector,
    callback: ConnectCallback,
  ) {
    this.#options = options
    this.#target = target
    this.#phases = phases
    this.#connector = connector
    this.#callback = callback
  }

  start(): void {
    const { hostname } = this.#target
    const family = isIP(hostname)
    if (family !== 0) {
      this.#vet([{ address: hostname, family }])
      return
    }
    if (this.#options.proxy?.dns === 'proxy') return this.#handOver()
    this.#enter('dns')
    this.#undo = this.#options.resolver.resolve(hostname, (failure, addresses) => {
      if (failure === null) this.#vet(addresses)
      else this.#fail(failure)
    })
  }

  cancel(): void {
    if (this.#ended) return
    this.#ended = true
    this.#leave()
    this.#undo?.()
  }

  /** All addresses are looked at before any is dialled: one forbidden among them refuses the name. */
  #vet(addresses: readonly ResolvedAddress[]): void {
    if (this.#ended) return
    this.#leave()
    const vetted: VettedAddress[] = []
    for (const { address } of addresses) {
      const family = isIP(address) as 0 | 4 | 6
      if (family === 0) {
        this.#fail(new ConnectFailure({ outcome: 'dns_failed' }, `${this.#target.hostname} resolved to ${address}`))
        return
      }
      const refusal = this.#check(address, family)
      if (refusal !== null) {
        this.#fail(new ConnectFailure({ outcome: 'blocked_address' }, refusal.detail))
        return
      }
      vetted.push({ address, family })
    }
    this.#enter('connect')
    if (this.#options.proxy != null)
      return this.#tunnel(this.#options.proxy, vetted.map(authorityOf(this.#target.port)))
    this.#undo = dial(vetted, this.#target.port, this.#options.timing.after, (socket, errors) => {
      if (socket === null) this.#fail(describeDialErrors(this.#target, errors))
      else this.#checkPeer(socket, vetted)
    })
  }

  /** The proxy resolves the name, and only the proxy sees where it leads. */
  #handOver(): void {
    const { hostname, port, protocol } = this.#target
    const refusal = this.#options.egress.checkName(hostname, protocol)
    if (refusal !== null) return this.#fail(new ConnectFailure({ outcome: 'blocked_address' }, refusal.detail))
    this.#enter('connect')
    this.#tunnel(this.#options.proxy as EgressProxy, [`${hostname}:${port}`])
  }

  /** Asks the proxy for one address after another: it tells of one it cannot reach. */
  #tunnel(proxy: EgressProxy, [authority = '', ...others]: readonly string[]): void {
    this.#undo = openTunnel(proxy, authority, (failure, socket) => {
      if (this.#ended) return
      if (socket !== null) return this.#connected(socket)
      const isUnreached = failure?.verdict.outcome === 'connect_failed'
      if (isUnreached && others.length > 0) this.#tunnel(proxy, others)
      else this.#fail(failure as ConnectFailure)
    })
  }

  /** The last look before the first byte: what we are really connected to. */
  #checkPeer(socket: Socket, vetted: readonly VettedAddress[]): void {
    const { remoteAddress, remoteFamily } = socket
    if (remoteAddress === undefined) {
      socket.destroy()
      this.#fail(new ConnectFailure({ outcome: 'connect_failed' }, 'the connection was reset as soon as it was open'))
      return
    }
    const known = vetted.some(({ address }) => address === remoteAddress)
    const refusal = known ? null : this.#check(remoteAddress, remoteFamily === 'IPv6' ? 6 : 4)
    if (refusal !== null) {
      socket.destroy()
      this.#fail(new ConnectFailure({ outcome: 'blocked_address' }, `connected peer: ${refusal.detail}`))
      return
    }
    this.#connected(socket)
  }

  #connected(socket: Socket): void {
    this.#leave()
    if (this.#target.protocol === 'https:') this.#secure(socket)
    else this.#succeed(socket)
  }

  #secure(socket: Socket): void {
    this.#enter('tls')
    let tls: TLSSocket
    try {
      tls = this.#connector.startTls(socket, this.#target)
    } catch (error) {
      socket.destroy()
      this.#fail(new ConnectFailure({ outcome: 'tls_failed' }, describeError(error as CodedError)))
      return
    }
    this.#undo = () => {
      tls.destroy()
      socket.destroy()
    }
    // Errors of the TCP socket arrive on the TLS socket as well; without a listener here they would be uncaught.
    socket.on('error', () => {})
    const onError = (error: CodedError): void => {
      socket.destroy()
      const detail = `TLS with ${this.#target.hostname}: ${describeError(error)}`
      this.#fail(new ConnectFailure({ outcome: 'tls_failed' }, detail))
    }
    tls.on('error', onError)
    tls.once('secureConnect', () => {
      if (this.#ended) return
      tls.off('error', onError)
      this.#leave()
      this.#succeed(tls)
    })
  }

  /** A policy that throws refuses. */
  #check(address: string, family: 4 | 6): Refusal | null {
    const { port, hostname, protocol } = this.#target
    try {
      return this.#options.egress.checkAddress(address, family, port, hostname, protocol)
    } catch (error) {
      return { rule: 'address', detail: `${address} could not be checked: ${describeError(error as CodedError)}` }
    }
  }

  #succeed(socket: Socket): void {
    this.#ended = true
    this.#callback(null, socket)
  }

  #fail(failure: ConnectFailure): void {
    if (this.#ended) return
    this.#ended = true
    this.#leave()
    this.#callback(failure, null)
  }

  #enter(phase: 'dns' | 'connect' | 'tls'): void {
    this.#phase = phase
    this.#phaseStartedAt = this.#options.timing.monotonic()
  }

  #leave(): void {
    if (this.#phase === null) return
    this.#phases[this.#phase] = Math.round(this.#options.timing.monotonic() - this.#phaseStartedAt)
    this.#phase = null
  }
}

/** An address as a proxy is asked for it. */
function authorityOf(port: number): (vetted: VettedAddress) => string {
  return ({ address, family }) => (family === 6 ? `[${address}]:${port}` : `${address}:${port}`)
}

/** `not_sent` only when every address failed for want of our own resources. */
function describeDialErrors({ port }: DialTarget, errors: readonly DialError[]): ConnectFailure {
  const own = errors.length > 0 && errors.every(({ error, family }) => isOwnFault(error, family))
  const detail = errors.map(({ address, error }) => `${address} port ${port}: ${describeError(error)}`).join('; ')
  return new ConnectFailure(own ? { fault: 'no_resources' } : { outcome: 'connect_failed' }, detail)
}

/** What of a URL the connector needs. */
export function dialTargetOf(url: URL): DialTarget {
  return {
    protocol: url.protocol,
    hostname: literalOf(url.hostname),
    port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
  }
}
