import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Api } from '../api/api.ts'

/** What one connection may cost before anything is known about it. */
export interface HttpBounds {
  /** Bytes of the request line and headers together. */
  headerBytes: number
  /** Header lines; more are an attack on whoever looks through them. */
  headerCount: number
  /** The headers must be there, whole, within this time of their first byte. */
  headersMs: number
  /** The request must be there, whole, within this time. */
  requestMs: number
  /** An idle connection is kept for so long after an answer. */
  keepAliveMs: number
  /** A connection on which nothing moves, in either direction, is ended: a client that does not read its answer, too. */
  idleMs: number
  /** How often all of this is looked at. */
  checkEveryMs: number
  /** Connections at once; one more is closed. */
  connections: number
}

export const HTTP_BOUNDS: HttpBounds = {
  headerBytes: 16 * 1024,
  headerCount: 100,
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 65_000,
  idleMs: 120_000,
  checkEveryMs: 1000,
  connections: 20_000,
}

export function createHttpServer(api: Pick<Api, 'listener' | 'clientError'>, bounds: HttpBounds = HTTP_BOUNDS): Server {
  const server = createServer(
    {
      // The API answers a missing Host itself, with a body that says so.
      requireHostHeader: false,
      maxHeaderSize: bounds.headerBytes,
      headersTimeout: bounds.headersMs,
      requestTimeout: bounds.requestMs,
      keepAliveTimeout: bounds.keepAliveMs,
      connectionsCheckingInterval: bounds.checkEveryMs,
      // What is read as one request here and as two by a proxy in front is refused (RFC 9112, section 11.2).
      insecureHTTPParser: false,
    },
    api.listener,
  )
  server.maxHeadersCount = bounds.headerCount
  server.maxConnections = bounds.connections
  server.setTimeout(bounds.idleMs)
  // Expectations that nobody knows may be ignored (RFC 9110, section 10.1.1), and then the answer is one of ours.
  server.on('checkExpectation', api.listener)
  server.on('connect', (_request, socket) => api.clientError(new Error('CONNECT'), socket))
  return server.on('clientError', api.clientError)
}

/** Resolves with the port once it listens. */
export async function listen(server: Server, { host, port }: { host: string; port: number }): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return (server.address() as AddressInfo).port
}

/** A host as a URL of this machine has it. */
export function hostInUrl(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
