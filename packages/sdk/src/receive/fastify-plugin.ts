import { bodyBytes } from '../signing/body-bytes.ts'
import { alreadyRead } from './answer.ts'
import type { Receive } from './receive-input.ts'

/** What is needed of a Fastify instance. Its own types are generic in a dozen ways; `never` lets every one of them fit. */
export interface FastifyLike {
  removeAllContentTypeParsers(): unknown
  addContentTypeParser(...given: never[]): unknown
  route(options: never): unknown
}

export interface FastifyPluginOptions {
  /** Where events come in. @default "/" */
  path?: string
}

interface RequestLike {
  method: string
  headers: Record<string, string | string[] | undefined>
  body: unknown
}

interface ReplyLike {
  code(status: number): ReplyLike
  headers(values: Record<string, string>): ReplyLike
  send(payload: string): unknown
}

const REGISTER =
  'In Fastify, use app.register(receiver.fastify, { path }): its own scope keeps the raw bytes. A route outside of it gets what ' +
  "Fastify's JSON parser made of them."

/** Content type parsers hold within a plugin: the rest of the application keeps its own. */
export function registerFastify(
  app: FastifyLike,
  { path = '/' }: FastifyPluginOptions,
  maxBodyBytes: number,
  receive: Receive,
): void {
  app.removeAllContentTypeParsers()
  const parse = (_request: unknown, body: unknown, done: (error: null, body: unknown) => void) => done(null, body)
  const parser = ['*', { parseAs: 'buffer', bodyLimit: maxBodyBytes }, parse]
  app.addContentTypeParser(...(parser as never[]))
  const handler = async (request: RequestLike, reply: ReplyLike) => {
    const bytes = bodyBytes(request.body ?? '')
    const { method, headers } = request
    const answer = bytes === null ? alreadyRead(REGISTER) : await receive({ method, headers, body: bytes })
    return reply.code(answer.status).headers(answer.headers).send(JSON.stringify(answer.body))
  }
  app.route({ method: 'POST', url: path, handler } as never)
}
