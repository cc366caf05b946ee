import type { Authenticator } from '../access/authenticate.ts'
import { unauthenticated } from '../access/authenticate.ts'
import { hasScope, missingScope, type Principal } from '../access/principal.ts'
import type { ApiContext } from '../context.ts'
import type { Answer } from '../http/answer.ts'
import { bodyKind, isEncoded, tooLarge, unsupportedMediaType, type BodyKind } from '../http/content-type.ts'
import { answerError } from '../http/failure.ts'
import type { BodyRead } from '../http/read-body.ts'
import { publishBatch } from './publish-batch.ts'
import { publishEvent } from './publish-event.ts'

/** A request to publish, as far as it does not matter whether `node:http` or `fetch` brought it. */
export interface PublishRequest {
  route: 'event' | 'batch'
  requestId: string
  /** By lower-case name. */
  header(name: string): string | null
  readBody(maxBytes: number): Promise<BodyRead>
}

/** A request that may publish, with its body. */
export interface PublishCall {
  context: ApiContext
  principal: Principal
  requestId: string
  kind: BodyKind
  bytes: Uint8Array
  header(name: string): string | null
}

/** Authenticates and reads, then publishes. Never rejects; `null`: the client has gone and nothing was stored. */
export async function servePublish(
  services: { context: ApiContext; authenticator: Authenticator },
  request: PublishRequest,
): Promise<Answer | null> {
  const { context, authenticator } = services
  const { requestId, route } = request
  const header = (name: string) => request.header(name)
  try {
    const principal = await authenticator.authenticate(header('authorization'))
    if (principal === null) throw unauthenticated()
    if (!hasScope(principal, ['publish'])) throw missingScope(['publish'])
    const kind = bodyKind(header('content-type'))
    const wrong = kind === null || (route === 'event' && kind === 'ndjson') || isEncoded(header('content-encoding'))
    if (wrong) {
      throw unsupportedMediaType(route === 'event' ? 'application/json' : 'application/json, application/x-ndjson')
    }
    const limit = route === 'event' ? context.limits.eventBytes : context.limits.batchBytes
    const body = await request.readBody(limit)
    if (body.kind === 'aborted') return null
    if (body.kind === 'too_large') throw tooLarge(limit)
    const call: PublishCall = { context, principal, requestId, kind, bytes: body.bytes, header }
    return route === 'event' ? await publishEvent(call) : await publishBatch(call)
  } catch (error) {
    return answerError(error, context.log, requestId)
  }
}
