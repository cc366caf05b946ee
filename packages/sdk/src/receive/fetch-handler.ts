import { alreadyRead, incomplete, notPost, tooLarge, type ReceiveAnswer } from './answer.ts'
import { announcesMore, Chunks } from './chunks.ts'
import type { Receive, WorkerContext } from './receive-input.ts'

const READ_ONCE =
  'Hand the request on before anything calls json(), text() or arrayBuffer() on it, or hand on request.clone(); in Hono hand on ' +
  'c.req.raw before c.req.json(), in Next return receiver.fetch(request) first.'

export async function answerFetch(
  request: Request,
  maxBytes: number,
  receive: Receive,
  worker?: WorkerContext,
): Promise<Response> {
  const { status, headers, body } = await answer(request, maxBytes, receive, worker)
  return new Response(JSON.stringify(body), { status, headers })
}

async function answer(
  request: Request,
  maxBytes: number,
  receive: Receive,
  worker: WorkerContext | undefined,
): Promise<ReceiveAnswer> {
  if (request.method !== 'POST') return notPost(request.method)
  if (request.bodyUsed || request.body?.locked === true) return alreadyRead(READ_ONCE)
  if (announcesMore(request.headers.get('content-length'), maxBytes)) return tooLarge(maxBytes)
  const body = await readBody(request, maxBytes)
  if (!(body instanceof Uint8Array)) return body
  // Called on its object: platforms check that.
  const waitUntil = worker?.waitUntil === undefined ? undefined : (work: Promise<unknown>) => worker.waitUntil?.(work)
  return receive({ headers: request.headers, body, waitUntil })
}

async function readBody(request: Request, maxBytes: number): Promise<Uint8Array | ReceiveAnswer> {
  const chunks = new Chunks(maxBytes)
  if (request.body === null) return chunks.bytes()
  const reader = request.body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return chunks.bytes()
      if (chunks.add(value)) continue
      await reader.cancel().catch(() => undefined)
      return tooLarge(maxBytes)
    }
  } catch {
    return incomplete()
  }
}
