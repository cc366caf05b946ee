import type { IncomingMessage, ServerResponse } from 'node:http'
import { writeAnswer, type Answer } from '../http/answer.ts'
import { discardRest, readIncoming } from '../http/read-body.ts'
import { awaitsContinue } from '../http/request-form.ts'
import type { ApiServices } from '../route.ts'
import type { PublishRequest } from './publish-call.ts'
import { servePublish } from './serve-publish.ts'

/** A request as routes that take many of them read it. */
export type BareRequest = Omit<PublishRequest, 'route'>

/** The publishing route a request is for, or `null`. Decided by the plain spelling; any other goes through the router. */
export function publishingRoute(incoming: IncomingMessage): PublishRequest['route'] | null {
  if (incoming.method !== 'POST') return null
  const url = incoming.url ?? ''
  const query = url.indexOf('?')
  const path = query === -1 ? url : url.slice(0, query)
  if (path === '/v1/events') return 'event'
  return path === '/v1/events/batch' ? 'batch' : null
}

/**
 * Serves publishing without `Request`, `Response` and router, which would cost about as much as checking the event does.
 * Never rejects.
 */
export function listenPublish(
  services: ApiServices,
  route: PublishRequest['route'],
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  return listenBare(services, incoming, outgoing, (request) => servePublish(services, { ...request, route }))
}

/** @param serve never rejects; `null`: the client has gone */
export async function listenBare(
  services: ApiServices,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  serve: (request: BareRequest) => Promise<Answer | null>,
): Promise<void> {
  const requestId = services.nextRequestId()
  let withholdsBody = awaitsContinue(incoming)
  const goOn = () => {
    if (withholdsBody) outgoing.writeContinue()
    withholdsBody = false
  }
  const answer = await serve({
    requestId,
    header(name) {
      const value = incoming.headers[name]
      return typeof value === 'string' ? value : null
    },
    readBody: (maxBytes) => readIncoming(incoming, maxBytes, goOn),
  })
  if (answer === null) return
  // Its body may come or not: nobody knows where the next request begins.
  if (withholdsBody) answer.headers['connection'] = 'close'
  else discardRest(incoming)
  writeAnswer(outgoing, answer, requestId)
}
