import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Api } from '../api/api.ts'
import { MAX_HEADERS } from '../api/http/request-form.ts'

/** What one connection may cost before anything is known about it. */
export interface HttpBounds {
  /** Bytes of the request line and headers together. */
  headerBytes: number
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
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 65_000,
  idleMs: 120_000,
  checkEveryMs: 1000,
  connections: 20_000,
}

export function createHttpServer(
  api: Pick<Api, 'listener' | 'clientError' | 'tunnel'>,
  bounds: HttpBounds = HTTP_BOUNDS,
): Server {
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
  // One more than allowed, so that the API sees that there are too many.
  server.maxHeadersCount = MAX_HEADERS + 1
  server.maxConnections = bounds.connections
  server.setTimeout(bounds.idleMs)
  server.on('checkContinue', api.listener).on('checkExpectation', api.listener)
  return server.on('clientError', api.clientError).on('connect', api.tunnel)
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
