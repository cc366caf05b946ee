import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import { createAuthenticator } from './access/authenticate.ts'
import { createKeyUses } from './access/key-uses.ts'
import type { ApiContext } from './context.ts'
import { HTTPS_ONLY, toResponse, writeAnswer } from './http/answer.ts'
import { refusalOfClientError, refusalOfTunnel, renderClosingAnswer } from './http/client-error.ts'
import { Connections } from './http/connections.ts'
import { answerError } from './http/failure.ts'
import { problemAnswer, type Refused } from './http/problem.ts'
import { discardRest } from './http/read-body.ts'
import { awaitsContinue, formRefusal, malformedHttp } from './http/request-form.ts'
import { createRequestIds } from './http/request-id.ts'
import { renderOpenApi } from './open-api.ts'
import { bareIngest, serveIngest } from './diagnostics/ingest.ts'
import { INGESTS } from './diagnostics/ingests.ts'
import { createFingerprint } from './publish/fingerprint.ts'
import { listenBare, listenPublish, publishingRoute } from './publish/publish-listener.ts'
import { createCursors } from './read/cursor.ts'
import type { ApiServices, Route } from './route.ts'
import { createRouter } from './router.ts'
import { API_ROUTES } from './routes/index.ts'
import { openApiRoute } from './routes/service.ts'
import { Streams } from './streams/streams.ts'

/** The HTTP API. */
export interface Api {
  /** Serves a request without a socket. Never rejects. */
  fetch(request: Request): Promise<Response>
  /**
   * For the events `request`, `checkContinue` and `checkExpectation` of `node:http`: the publishing routes bare,
   * everything else through `fetch`.
   */
  listener(incoming: IncomingMessage, outgoing: ServerResponse): void
  /** For the server's event `clientError`: what cannot be read as HTTP gets a problem, too. */
  clientError(error: Error, socket: Duplex): void
  /** For the server's event `connect`. */
  tunnel(incoming: IncomingMessage, socket: Duplex): void
  /** Keys may have changed at another node: the next request asks the store. */
  forgetKeys(): void
  /** Puts on record when keys were last used; to be called now and then. */
  noteKeyUses(): Promise<void>
  /** Ends streams whose key is valid no more, and keeps the others alive; to be called every second. */
  tendStreams(): Promise<void>
  /** Ends all streams, and opens no other. */
  endStreams(): void
  /** Every route that is served, for documents and tests. */
  routes: readonly Route[]
}

/** @param served without the publishing routes nothing is published either */
export function createApi(context: ApiContext, served: readonly Route[] = API_ROUTES): Api {
  const uses = createKeyUses(context.store)
  const services: ApiServices = {
    context,
    authenticator: createAuthenticator(context.store, context.clock, uses),
    fingerprint: createFingerprint(context.secrets.fingerprint),
    cursors: createCursors(context.secrets.cursor),
    streams: new Streams(context.store, context.clock),
    nextRequestId: createRequestIds(context.random),
  }
  const routes: Route[] = [...served]
  const publishes = routes.some(({ operationId }) => operationId === 'publishEvent')
  routes.push(openApiRoute(() => renderOpenApi(routes, context.version)))
  const router = createRouter(services, routes)
  const routed = getRequestListener((request) => router.fetch(request), {
    overrideGlobalObjects: false,
    // Of requests over HTTP/1.0; no route looks at it.
    hostname: 'localhost',
    errorHandler: (error) => answerUnreadable(services, error),
  })
  const connections = new Connections()
  const isHttps = () => context.publicUrl.startsWith('https:')
  const refuse = (socket: Duplex, refusal: Refused) => {
    const more = isHttps() ? Object.fromEntries([HTTPS_ONLY]) : {}
    void connections.refuse(socket, renderClosingAnswer(refusal, services.nextRequestId(), more))
  }

  return {
    routes,
    forgetKeys: () => services.authenticator.forget(),
    noteKeyUses: () => uses.flush(),
    tendStreams: () => services.streams.tend(),
    endStreams: () => services.streams.stop(),
    fetch: async (request) => await router.fetch(request),
    listener(incoming, outgoing) {
      if (!connections.begin(incoming, outgoing)) return
      if (isHttps()) outgoing.setHeader(...HTTPS_ONLY)
      // `node:http` loses what follows the headers of a request with an offer it does not take up.
      if (incoming.headers.upgrade !== undefined) outgoing.shouldKeepAlive = false
      const wrong = formRefusal(incoming)
      if (wrong !== null) return refuseForm(services, wrong, incoming, outgoing)
      const route = publishes ? publishingRoute(incoming) : null
      if (route !== null) return void listenPublish(services, route, incoming, outgoing)
      const ingest = publishes ? bareIngest(INGESTS, incoming) : null
      if (ingest !== null) {
        return void listenBare(services, incoming, outgoing, (request) => serveIngest(services, ingest, request))
      }
      if (awaitsContinue(incoming)) outgoing.writeContinue()
      void routed(incoming, outgoing)
    },
    clientError(error: Error & { code?: string }, socket) {
      if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy()
      else refuse(socket, refusalOfClientError(error))
    },
    tunnel: (_incoming, socket) => refuse(socket, refusalOfTunnel()),
  }
}

/** Nobody knows what such a connection would bring next: it is closed. */
function refuseForm(
  { nextRequestId }: ApiServices,
  { refusal, headers }: Refused,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const requestId = nextRequestId()
  discardRest(incoming)
  writeAnswer(outgoing, problemAnswer(refusal, requestId, { ...headers, connection: 'close' }), requestId)
}

/** A request whose target or Host header makes no URL never reaches the router. */
function answerUnreadable({ context, nextRequestId }: ApiServices, error: unknown): Response {
  const requestId = nextRequestId()
  if (!(error instanceof Error) || error.name !== 'RequestError') {
    return toResponse(answerError(error, context.log, requestId), requestId)
  }
  const { refusal } = malformedHttp('The request target and the header host make no URL.')
  return toResponse(problemAnswer(refusal, requestId), requestId)
}
