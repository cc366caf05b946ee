import { connect, type Socket } from 'node:net'
import { ConnectFailure, describeError, type CodedError } from './transport-failure.ts'

/** The operator's forward proxy, `http://[user:password@]host:port`. */
export interface EgressProxy {
  host: string
  port: number
  /** Value of `proxy-authorization`; `null`: none. */
  authorization: string | null
  /** Who resolves names: we, so that every address is vetted before it is asked for, or the proxy, which then has to vet them. */
  dns: 'local' | 'proxy'
}

/** What a proxy may answer to CONNECT, headers and all. */
const MAX_ANSWER_BYTES = 16 * 1024
/** The proxy could not reach the receiver: that is the receiver's failure. */
const UNREACHED = new Set([502, 503, 504])

/**
 * Opens a connection through the proxy (RFC 9110, section 9.3.6). Calls back once; what it returns takes everything back.
 * @param authority `host:port` of the receiver
 */
export function openTunnel(
  { host, port, authorization }: EgressProxy,
  authority: string,
  callback: (failure: ConnectFailure | null, socket: Socket | null) => void,
): () => void {
  const socket = connect({ host, port })
  socket.setNoDelay(true)
  let read = Buffer.alloc(0)
  let ended = false

  const end = (failure: ConnectFailure | null): void => {
    if (ended) return
    ended = true
    socket.off('data', onData)
    socket.off('error', onError)
    socket.off('close', onClose)
    if (failure === null) callback(null, socket)
    else {
      // Nobody listens from here on.
      socket.on('error', () => {})
      socket.destroy()
      callback(failure, null)
    }
  }
  const onError = (error: CodedError): void => end(proxyDown(describeError(error)))
  const onClose = (): void => end(proxyDown('it closed the connection'))
  const onData = (chunk: Buffer): void => {
    read = Buffer.concat([read, chunk])
    const headEnd = read.indexOf('\r\n\r\n')
    if (headEnd === -1 && read.length <= MAX_ANSWER_BYTES) return
    const status = headEnd === -1 ? null : statusOf(read)
    const failure = status === null ? proxyDown('it did not answer in HTTP') : verdictOn(status, authority)
    if (failure === null) {
      socket.pause()
      const early = read.subarray(headEnd + 4)
      if (early.length > 0) socket.unshift(early)
    }
    end(failure)
  }
  socket.on('data', onData)
  socket.on('error', onError)
  socket.on('close', onClose)
  socket.once('connect', () => {
    const credentials = authorization === null ? '' : `proxy-authorization: ${authorization}\r\n`
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n${credentials}\r\n`)
  })
  return () => {
    if (ended) return
    ended = true
    socket.on('error', () => {})
    socket.destroy()
  }
}

/** Status of an answer's first line; `null`: it is none. */
function statusOf(answer: Buffer): number | null {
  const match = /^HTTP\/1\.[01] ([1-9]\d\d)[ \r]/.exec(answer.subarray(0, 64).toString('latin1'))
  return match === null ? null : Number(match[1])
}

function verdictOn(status: number, authority: string): ConnectFailure | null {
  if (status >= 200 && status <= 299) return null
  if (status === 403)
    return new ConnectFailure({ outcome: 'blocked_address' }, `the egress proxy refuses ${authority} (403)`)
  if (UNREACHED.has(status)) {
    return new ConnectFailure(
      { outcome: 'connect_failed' },
      `the egress proxy could not reach ${authority} (${status})`,
    )
  }
  return proxyDown(`it answered ${status} for ${authority}`)
}

/** The operator's matter, not the receiver's: it uses up no attempt (guarantee G13). */
function proxyDown(why: string): ConnectFailure {
  return new ConnectFailure({ fault: 'proxy_down' }, `the egress proxy cannot be used: ${why}`)
}
