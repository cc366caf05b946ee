import type { EventMatching, KnownEventType } from '../catalog/index.ts'
import { HEADERS, type Envelope } from '../contract/index.ts'
import { verifyWebhook, type RequestHeaders } from '../signing/index.ts'
import { bodyBytes } from '../signing/body-bytes.ts'
import { readHeaders } from '../signing/request-headers.ts'
import { notPost, taken, tooLarge, unverified, type ReceiveAnswer } from './answer.ts'
import { answerFetch } from './fetch-handler.ts'
import { answerNode, type NodeRequest, type NodeResponse } from './node-handler.ts'
import { processEvent } from './process-event.ts'
import { readEvent } from './read-event.ts'
import { registerFastify, type FastifyLike, type FastifyPluginOptions } from './fastify-plugin.ts'
import { answerLambda, type LambdaEvent, type LambdaResult } from './lambda-handler.ts'
import type { ReceiveInput, WorkerContext } from './receive-input.ts'
import { readOptions, type ReceiverOptions } from './receiver-options.ts'
import { typeMatcher } from './type-pattern.ts'

/** What is known about the request an event came with. Attempt and delivery id are informative: they are not signed. */
export interface ReceiveContext {
  /** The `webhook-id`, which is the `event_id`. */
  id: string
  /** Unix seconds of the attempt, from the signature. */
  timestamp: number
  /** From 1; `null` where the sender does not say. */
  attempt: number | null
  deliveryId: string | null
  /** Which of the secrets signed it, from 0: tells when an old one is no longer used. */
  secretIndex: number
  /**
   * Work that may go on after the answer: a platform that ends with the answer is told to wait, and a failure goes to `onError`.
   * For what may be lost: once answered, the event does not come again.
   */
  waitUntil(work: Promise<unknown>): void
  /** The exact bytes, for what `JSON.parse` does not keep: integers above 2^53, `1.0`, `1E400`. */
  body: Uint8Array
}

/** Resolving means handled. Throwing means: the sender shall come again. */
export type EventHandler<Data = unknown> = (event: Envelope<string, Data>, context: ReceiveContext) => unknown

export interface Receiver {
  /**
   * Adds a handler for types that match: `agent.run.completed`, `agent.run.*` (one or more segments at the end),
   * `agent.*.completed` (one in the middle), `*` (all). Several that match run one after the other in the order they were
   * added; if one throws, all of them run again when the event comes again. What an event is follows from the pattern; it is
   * not checked here.
   * @throws TypeError for a pattern that is none
   */
  on<Pattern extends KnownEventType | (string & {})>(
    pattern: Pattern,
    handler: (event: EventMatching<Pattern>, context: ReceiveContext) => unknown,
  ): Receiver
  on<Data>(pattern: string, handler: EventHandler<Data>): Receiver
  /** Takes a request of any framework and says what to answer. Never rejects. */
  receive(input: ReceiveInput): Promise<ReceiveAnswer>
  /** A fetch handler: Hono, Next, Workers, Bun, Deno. Never rejects. */
  fetch(request: Request, environment?: unknown, worker?: WorkerContext): Promise<Response>
  /** A `node:http` request listener; also for Express, before `express.json()`. Never rejects. */
  node(request: NodeRequest, response: NodeResponse): Promise<void>
  /** A handler for API Gateway, version 1 and 2, and for function URLs. Never rejects. */
  lambda(event: LambdaEvent): Promise<LambdaResult>
  /** A plugin: `app.register(receiver.fastify, { path: '/hooks' })`. */
  fastify(app: FastifyLike, options: FastifyPluginOptions): Promise<void>
}

/**
 * Receives events: verifies the raw bytes, then parses them, drops duplicates, calls handlers. Types that no handler
 * matches are answered with 200, since senders add types.
 * @throws SecretError for a secret that cannot be used
 * @throws TypeError for an option that cannot be
 */
export function createReceiver(options: ReceiverOptions): Receiver {
  const settings = readOptions(options)
  const handlers: { matches: (type: string) => boolean; handler: EventHandler<never> }[] = []

  async function receive({ method = 'POST', headers, body, waitUntil }: ReceiveInput): Promise<ReceiveAnswer> {
    if (method !== 'POST') return notPost(method)
    const bytes = bodyBytes(body)
    if (bytes !== null && bytes.length > settings.maxBodyBytes) return tooLarge(settings.maxBodyBytes)
    const verified = await verifyWebhook({ ...settings, headers, body: bytes ?? body })
    if (!verified.ok) return unverified(verified)
    const read = readEvent(bytes as Uint8Array, verified.id)
    if ('answer' in read) return read.answer
    const { event } = read
    const matching = handlers.filter(({ matches }) => matches(event.type))
    // Not remembered as done: a handler added tomorrow can still have it by a replay.
    if (matching.length === 0) return taken(verified.id, { handled: false, duplicate: false })
    const { id, timestamp, secretIndex } = verified
    const later = (work: Promise<unknown>) => {
      const report = (error: unknown) => settings.onError(error, { eventId: id, type: event.type })
      // A reporter that fails, too, must not end the process.
      const reported = work.catch(report).catch(() => undefined)
      waitUntil?.(reported)
    }
    const context = { id, timestamp, secretIndex, body: bytes as Uint8Array, waitUntil: later, ...deliveryOf(headers) }
    const work = async () => {
      for (const { handler } of matching) await handler(event as never, context)
    }
    return processEvent(event, id, work, settings)
  }

  const receiver: Receiver = {
    on(pattern: string, handler: EventHandler<never>) {
      handlers.push({ matches: typeMatcher(pattern), handler })
      return receiver
    },
    receive,
    fetch: (request, _environment, worker) => answerFetch(request, settings.maxBodyBytes, receive, worker),
    node: (request, response) => answerNode(request, response, settings.maxBodyBytes, receive),
    lambda: (event) => answerLambda(event, receive),
    // A promise, so that Fastify does not wait for a callback.
    fastify: async (app, given) => registerFastify(app, given, settings.maxBodyBytes, receive),
  }
  return receiver
}

function deliveryOf(headers: RequestHeaders): Pick<ReceiveContext, 'attempt' | 'deliveryId'> {
  const found = readHeaders(headers, [HEADERS.attempt, HEADERS.deliveryId])
  const attempt = found.get(HEADERS.attempt)?.[0] ?? ''
  return {
    attempt: /^[1-9][0-9]{0,5}$/.test(attempt) ? Number(attempt) : null,
    deliveryId: found.get(HEADERS.deliveryId)?.[0] ?? null,
  }
}
