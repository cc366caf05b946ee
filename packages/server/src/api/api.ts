import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import { createAuthenticator } from './access/authenticate.ts'
import { createKeyUses } from './access/key-uses.ts'
import type { ApiContext } from './context.ts'
import { toResponse, writeAnswer } from './http/answer.ts'
import { answerClientError } from './http/client-error.ts'
import { invalid, problemAnswer, type Refused } from './http/problem.ts'
import { OpenRequests } from './http/open-requests.ts'
import { discardRest } from './http/read-body.ts'
import { checkForm } from './http/request-form.ts'
import { answerError } from './http/failure.ts'
import { createRequestIds } from './http/request-id.ts'
import { renderOpenApi } from './open-api.ts'
import { createFingerprint } from './publish/fingerprint.ts'
import { listenPublish, publishingRoute } from './publish/publish-listener.ts'
import { createCursors } from './read/cursor.ts'
import type { ApiServices, Route } from './route.ts'
import { createRouter } from './router.ts'
import { API_ROUTES } from './routes/index.ts'
import { openApiRoute } from './routes/service.ts'

/** The HTTP API. */
export interface Api {
  /** Serves a request without a socket. Never rejects. */
  fetch(request: Request): Promise<Response>
  /** For `node:http`: the publishing routes bare, everything else through `fetch`. */
  listener(incoming: IncomingMessage, outgoing: ServerResponse): void
  /** For the server's event `clientError`: what cannot be read as HTTP gets a problem, too. */
  clientError(error: Error, socket: Duplex): void
  /** Puts on record when keys were last used; to be called now and then. */
  noteKeyUses(): Promise<void>
  /** Every route that is served, for documents and tests. */
  routes: readonly Route[]
}

export function createApi(context: ApiContext): Api {
  const uses = createKeyUses(context.store)
  const services: ApiServices = {
    context,
    authenticator: createAuthenticator(context.store, context.clock, uses),
    fingerprint: createFingerprint(context.secrets.fingerprint),
    cursors: createCursors(context.secrets.cursor),
    nextRequestId: createRequestIds(context.random),
  }
  const routes: Route[] = [...API_ROUTES]
  routes.push(openApiRoute(() => renderOpenApi(routes, context.version)))
  const open = new OpenRequests()
  const router = createRouter(services, routes)
  const routed = getRequestListener((request) => router.fetch(request), {
    overrideGlobalObjects: false,
    errorHandler: (error) => answerUnreadable(services, error),
  })

  return {
    routes,
    noteKeyUses: () => uses.flush(),
    fetch: async (request) => await router.fetch(request),
    listener(incoming, outgoing) {
      open.begin(incoming, outgoing)
      const refused = checkForm(incoming)
      if (refused !== null) {
        open.last(incoming)
        return refuse(services, refused, incoming, outgoing)
      }
      const route = publishingRoute(incoming)
      if (route === null) void routed(incoming, outgoing)
      else void listenPublish(services, route, incoming, outgoing)
    },
    clientError(error, socket) {
      if (!open.mayAnswerError(socket)) socket.destroy()
      else answerClientError(error, socket, services.nextRequestId())
    },
  }
}

/** Nobody knows what else is wrong with it: nothing more is read from this connection. */
function refuse(
  { nextRequestId }: ApiServices,
  { refusal }: Refused,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const requestId = nextRequestId()
  const answer = problemAnswer(refusal, requestId)
  writeAnswer(outgoing, { ...answer, headers: { ...answer.headers, connection: 'close' } }, requestId)
  discardRest(incoming)
}

/** A request whose target or Host header makes no URL never reaches the router. */
function answerUnreadable({ context, nextRequestId }: ApiServices, error: unknown): Response {
  const requestId = nextRequestId()
  if (!(error instanceof Error) || error.name !== 'RequestError') {
    return toResponse(answerError(error, context.log, requestId), requestId)
  }
  const { refusal } = invalid([{ path: '', message: 'the request target and the Host header make no URL' }])
  return toResponse(problemAnswer(refusal, requestId), requestId)
}
