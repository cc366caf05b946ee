import { unauthenticated } from '../access/authenticate.ts'
import { hasScope, missingScope } from '../access/principal.ts'
import type { Answer } from '../http/answer.ts'
import { bodyKind, isEncoded, tooLarge, unsupportedMediaType } from '../http/content-type.ts'
import { answerError } from '../http/failure.ts'
import { publishBatch } from './publish-batch.ts'
import type { PublishCall, PublishRequest, PublishServices } from './publish-call.ts'
import { publishEvent } from './publish-event.ts'

/** Authenticates and reads, then publishes. Never rejects; `null`: the client has gone and nothing was stored. */
export async function servePublish(services: PublishServices, request: PublishRequest): Promise<Answer | null> {
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
      const accepted = route === 'event' ? 'application/json' : 'application/json, application/x-ndjson'
      throw unsupportedMediaType(accepted, header('content-encoding'))
    }
    const limit = route === 'event' ? context.limits.eventBytes : context.limits.batchBytes
    const body = await request.readBody(limit)
    if (body.kind === 'aborted') return null
    if (body.kind === 'too_large') throw tooLarge(limit)
    const call: PublishCall = { ...services, principal, requestId, kind, bytes: body.bytes, header }
    return route === 'event' ? await publishEvent(call) : await publishBatch(call)
  } catch (error) {
    return answerError(error, context.log, requestId)
  }
}
