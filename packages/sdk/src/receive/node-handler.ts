import { bodyBytes, type RawBody } from '../signing/body-bytes.ts'
import { alreadyRead, incomplete, notPost, tooLarge, type ReceiveAnswer } from './answer.ts'
import { announcesMore, Chunks } from './chunks.ts'
import type { Receive } from './receive-input.ts'

/** Takes whatever a stream emits, so that every overload of a Node stream's `on` fits. */
type StreamListener = (...values: unknown[]) => void

/** What is needed of a `node:http` IncomingMessage or an Express request. */
export interface NodeRequest {
  method?: string | undefined
  headers: Record<string, string | string[] | undefined>
  /** Whether anything has read the stream. */
  readableDidRead?: boolean
  readableEnded?: boolean
  destroyed?: boolean
  /** What a body parser left: bytes of `express.raw()` can be verified, an object cannot. */
  body?: unknown
  /** The raw bytes some platforms keep beside `body` (Cloud Functions, Firebase). */
  rawBody?: unknown
  on(event: string, listener: StreamListener): unknown
  off(event: string, listener: StreamListener): unknown
}

/** What is needed of a `node:http` ServerResponse or an Express response. */
export interface NodeResponse {
  statusCode: number
  setHeader(name: string, value: string): unknown
  end(text: string): unknown
}

const MOUNT_FIRST =
  'In Express, mount the receiver before app.use(express.json()), or use express.raw({ type: "*/*" }) on its route; ' +
  'in a Next pages route export const config = { api: { bodyParser: false } }; elsewhere keep the raw bytes in request.rawBody.'

export async function answerNode(
  request: NodeRequest,
  response: NodeResponse,
  maxBytes: number,
  receive: Receive,
): Promise<void> {
  const { status, headers, body } = await answer(request, maxBytes, receive)
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  // The rest of a body that is too large is not waited for.
  if (status === 413) response.setHeader('connection', 'close')
  response.end(JSON.stringify(body))
}

async function answer(request: NodeRequest, maxBytes: number, receive: Receive): Promise<ReceiveAnswer> {
  const method = request.method ?? 'POST'
  if (method !== 'POST') return notPost(method)
  const { headers } = request
  if (announcesMore(firstOf(headers['content-length']), maxBytes)) return tooLarge(maxBytes)
  const body = await readBody(request, maxBytes)
  return 'status' in body ? body : receive({ method, headers, body: body.bytes })
}

async function readBody(request: NodeRequest, maxBytes: number): Promise<{ bytes: RawBody } | ReceiveAnswer> {
  // Only a stream that was read says that `body` counts: Express 4 sets it to {} where its parsers did not apply.
  if (request.readableDidRead !== true && request.readableEnded !== true) return readStream(request, maxBytes)
  const kept = bodyBytes(request.rawBody) ?? bodyBytes(request.body)
  return kept === null ? alreadyRead(MOUNT_FIRST) : { bytes: kept }
}

function readStream(request: NodeRequest, maxBytes: number): Promise<{ bytes: RawBody } | ReceiveAnswer> {
  // The sender is gone, and no event would say so again.
  if (request.destroyed === true) return Promise.resolve(incomplete())
  return new Promise((resolve) => {
    const chunks = new Chunks(maxBytes)
    const finish = (result: { bytes: RawBody } | ReceiveAnswer) => {
      request.off('data', onData)
      resolve(result)
    }
    const onData = (chunk: unknown) => {
      if (!chunks.add(bodyBytes(chunk) as Uint8Array)) finish(tooLarge(maxBytes))
    }
    request.on('data', onData)
    request.on('end', () => finish({ bytes: chunks.bytes() }))
    // `close` without `end`: the sender went away.
    request.on('error', () => finish(incomplete()))
    request.on('close', () => finish(incomplete()))
  })
}

function firstOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
