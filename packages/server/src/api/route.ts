import type { z } from '@hono/zod-openapi'
import { PROBLEMS, type ProblemCode, type Scope } from '@runbell/sdk/contract'
import { unauthenticated } from './access/authenticate.ts'
import { hasScope, missingScope, type Principal } from './access/principal.ts'
import type { Answer, StreamedAnswer } from './http/answer.ts'
import { readQuery } from './http/query.ts'
import { readJson } from './http/read-json.ts'
import { validate } from './http/validate.ts'
import type { PublishServices } from './publish/publish-call.ts'
import type { Cursors } from './read/cursor.ts'
import type { Streams } from './streams/streams.ts'

/** What every route works with. */
export interface ApiServices extends PublishServices {
  cursors: Cursors
  streams: Streams
  nextRequestId(): string
}

export type Method = 'get' | 'post' | 'patch' | 'delete'

/** An answer a route can give, for the OpenAPI document. */
export interface AnswerDocs {
  description: string
  schema?: z.ZodType
  /** @default application/json */
  contentType?: string
}

/** What the OpenAPI document says of a route. */
export interface RouteDocs {
  method: Method
  /** `/v1/events/{event_id}`. */
  path: string
  /** Unique; names the operation in generated clients. */
  operationId: string
  summary: string
  /** Any one of these is enough; `null`: no key is needed. */
  scopes: readonly Scope[] | null
  answers: Record<number, AnswerDocs>
  /** Problems beyond those every route can answer with. */
  problems: readonly ProblemCode[]
  query?: z.ZodObject | undefined
  /** By content type. */
  bodies?: Record<string, z.ZodType> | undefined
  bodyRequired?: boolean | undefined
}

/** One request, authenticated and checked. */
export interface Call<Query, Body> extends ApiServices {
  principal: Principal
  /** What stands in the path. */
  id(name: string): string
  query: Query
  body: Body
  /** Of the request. */
  headers: Headers
  /** Only the headers of the answer are wanted. */
  isHead: boolean
  requestId: string
  /** Aborted when whoever asks has gone. */
  signal: AbortSignal
  /** Service time, ms. */
  now: number
}

/** A route that is served through hono. */
export interface Route extends RouteDocs {
  serve(services: ApiServices, request: RouteRequest): Promise<Answer | StreamedAnswer>
}

export interface RouteRequest {
  raw: Request
  requestId: string
  params: Record<string, string>
}

interface KeyedRoute<Query extends z.ZodObject, Body extends z.ZodType> extends Omit<
  RouteDocs,
  'scopes' | 'query' | 'bodies' | 'bodyRequired'
> {
  scopes: readonly Scope[]
  query: Query
  body?: Body
  /** Bytes a body may have. @default `requestBytes` of the limits */
  bodyBytes?: number
  /** A body may be left out and then is `{}`. */
  bodyOptional?: boolean
  handle(call: Call<z.output<Query>, z.output<Body>>): Promise<Answer | StreamedAnswer>
}

/** A route for holders of a key: authenticates, checks scope, query and body, then calls `handle`. */
export function defineRoute<Query extends z.ZodObject, Body extends z.ZodType = z.ZodUndefined>(
  route: KeyedRoute<Query, Body>,
): Route {
  const { query, body, bodyBytes, bodyOptional = false, scopes, handle, ...docs } = route
  return {
    ...docs,
    scopes,
    query,
    bodies: body === undefined ? undefined : { 'application/json': body },
    bodyRequired: !bodyOptional,
    async serve(services, { raw, requestId, params }) {
      const principal = await services.authenticator.authenticate(raw.headers.get('authorization'))
      if (principal === null) throw unauthenticated()
      if (!hasScope(principal, scopes)) throw missingScope(scopes)
      const call = {
        ...services,
        principal,
        id: (name: string) => params[name] ?? '',
        query: readQuery(query, new URL(raw.url).searchParams),
        body: (body === undefined
          ? undefined
          : validate(
              body,
              await readJson(raw, bodyBytes ?? services.context.limits.requestBytes, bodyOptional),
              '',
            )) as z.output<Body>,
        headers: raw.headers,
        isHead: raw.method === 'HEAD',
        requestId,
        // Asked for only where a route looks at it: making one costs.
        get signal() {
          return raw.signal
        },
        now: services.context.clock.now(),
      }
      return await handle(call)
    },
  }
}

/** A route anybody may ask. */
export function definePage(
  page: Omit<RouteDocs, 'scopes' | 'method'> & {
    handle(services: ApiServices, params: Record<string, string>, query: URLSearchParams): Answer | Promise<Answer>
  },
): Route {
  const { handle, ...docs } = page
  return {
    ...docs,
    method: 'get',
    scopes: null,
    serve: async (services, { params, raw }) => await handle(services, params, new URL(raw.url).searchParams),
  }
}

/** The statuses a route can answer with, with the codes that lead to each. */
export function problemStatuses(docs: RouteDocs): Map<number, ProblemCode[]> {
  const codes: ProblemCode[] = ['internal', ...docs.problems]
  if (docs.scopes !== null) codes.push('unauthenticated', 'insufficient_scope', 'unavailable', 'invalid_request')
  if (docs.bodies !== undefined) {
    codes.push('malformed_json', 'duplicate_key', 'too_deep', 'payload_too_large', 'unsupported_media_type')
  }
  const statuses = new Map<number, ProblemCode[]>()
  for (const code of new Set(codes)) {
    const { status } = PROBLEMS[code]
    statuses.set(status, [...(statuses.get(status) ?? []), code])
  }
  return statuses
}
