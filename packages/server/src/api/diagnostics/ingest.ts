import type { IncomingMessage } from 'node:http'
import type { Diagnostics } from '../../diagnostics/diagnostics.ts'
import { unauthenticated } from '../access/authenticate.ts'
import { hasScope, missingScope, type Principal } from '../access/principal.ts'
import { problemAnswer, refused, type Refused } from '../http/problem.ts'
import type { Answer } from '../http/answer.ts'
import { tooLarge } from '../http/content-type.ts'
import { answerError } from '../http/failure.ts'
import { readRequest } from '../http/read-body.ts'
import type { BareRequest } from '../publish/publish-listener.ts'
import { retryAfter } from '../publish/rate-headers.ts'
import type { ApiServices, Route, RouteDocs, RouteRequest } from '../route.ts'

/** Bounds of what diagnostics come in, each small enough that a few requests at once are felt by nobody. */
export const DIAGNOSTIC_LIMITS = {
  /** Bytes of a request as it comes. */
  bodyBytes: 2 * 1024 * 1024,
  /** Bytes of a request once it is inflated. */
  inflatedBytes: 4 * 1024 * 1024,
  /** The same of OTLP in JSON: its bytes are looked through in one go, at some 7 ms a MiB. */
  jsonBytes: 2 * 1024 * 1024,
  /** Diagnostics of one request. */
  items: 1000,
  /** Spans or log records of one OTLP request: what a collector sends at once by default, and some more. */
  otlpItems: 10_000,
  /** Attributes and values in one OTLP request: some 100 bytes of memory each. */
  otlpValues: 250_000,
} as const

/** One that may bring them, with its body. */
export interface IngestCall extends ApiServices {
  diagnostics: Diagnostics
  principal: Principal
  requestId: string
  bytes: Uint8Array
  header(name: string): string | null
}

export interface Ingest {
  /** What a request is refused for before its body is read, or `null`. */
  refusal(header: (name: string) => string | null): Refused | null
  handle(call: IngestCall): Promise<Answer>
  /** How a problem is said to who sent this. @default as it is */
  present?(problem: Answer, header: (name: string) => string | null): Answer
}

/**
 * Takes diagnostics in: whoever has sent too many is told before anything of the request is read. Never rejects; `null`: the client
 * has gone.
 */
export async function serveIngest(services: ApiServices, ingest: Ingest, request: BareRequest): Promise<Answer | null> {
  const { context } = services
  const { requestId } = request
  const header = (name: string) => request.header(name)
  let answer: Answer | null
  try {
    answer = await take(services, ingest, request)
  } catch (error) {
    answer = answerError(error, context.log, requestId)
  }
  if (answer === null || answer.status < 400) return answer
  return ingest.present?.(answer, header) ?? answer
}

async function take(services: ApiServices, ingest: Ingest, request: BareRequest): Promise<Answer | null> {
  const { authenticator, context } = services
  const { diagnostics } = context
  const header = (name: string) => request.header(name)
  const principal = await authenticator.authenticate(header('authorization'))
  if (principal === null) throw unauthenticated()
  if (!hasScope(principal, ['publish'])) throw missingScope(['publish'])
  const { mode, tenantId } = principal
  const wait = diagnostics.gate.wait(tenantId === null ? null : { mode, tenantId })
  if (wait > 0) throw tooMany(wait)
  if (context.storage() !== 'ok') throw noSpace()
  const wrong = ingest.refusal(header)
  if (wrong !== null) throw wrong
  if (diagnostics.intake.isFull || !diagnostics.requests.enter(principal.keyId)) throw tooMany(BUSY_MS)
  try {
    const body = await request.readBody(DIAGNOSTIC_LIMITS.bodyBytes)
    if (body.kind === 'aborted') return null
    if (body.kind === 'too_large') throw tooLarge(DIAGNOSTIC_LIMITS.bodyBytes)
    const { requestId } = request
    return await ingest.handle({ ...services, diagnostics, principal, requestId, bytes: body.bytes, header })
  } finally {
    diagnostics.requests.leave(principal.keyId)
  }
}

/** When it is worth trying again where a queue is full. */
const BUSY_MS = 1000

/** @param waitMs until it is worth trying again */
export function tooMany(waitMs: number): Refused {
  const detail = 'More diagnostics have come than are taken; none of this request was stored.'
  const fix = 'Send the same request again after the time in Retry-After; send fewer, or have the limits raised.'
  return refused('rate_limited', detail, fix, [], retryAfter(waitMs))
}

function noSpace(): Refused {
  const detail = 'The disk has little space left: diagnostics are not stored, so that events can be.'
  return refused('storage_full', detail, 'Make space on the disk of the server; it goes on by itself then.')
}

/** A route that takes diagnostics, for the router and the document; over HTTP `bareIngest` finds it first. */
export function ingestRoute(ingest: Ingest, docs: Omit<RouteDocs, 'method' | 'scopes'>): Route {
  return {
    ...docs,
    method: 'post',
    scopes: ['publish'],
    async serve(services: ApiServices, { raw, requestId }: RouteRequest) {
      const answer = await serveIngest(services, ingest, {
        requestId,
        header: (name) => raw.headers.get(name),
        readBody: (maxBytes) => readRequest(raw, maxBytes),
      })
      const detail = 'The body ended before it was complete.'
      const fix = 'Send it again.'
      return answer ?? problemAnswer({ code: 'malformed_json', detail, errors: [], fix }, requestId)
    },
  }
}

/** What takes the diagnostics of a request, or `null`. Decided by the plain spelling; any other goes through the router. */
export function bareIngest(ingests: ReadonlyMap<string, Ingest>, incoming: IncomingMessage): Ingest | null {
  if (incoming.method !== 'POST') return null
  const url = incoming.url ?? ''
  const query = url.indexOf('?')
  return ingests.get(query === -1 ? url : url.slice(0, query)) ?? null
}
