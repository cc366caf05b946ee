import type { ServerResponse } from 'node:http'

/** What a request is answered with, before it becomes a `Response` or is written to a socket. */
export interface Answer {
  status: number
  /** Lower-case names. */
  headers: Record<string, string>
  body: string | Uint8Array<ArrayBuffer> | null
}

/** An answer whose length is not known before its end. */
export interface StreamedAnswer extends Omit<Answer, 'body'> {
  body: ReadableStream<Uint8Array>
}

/** On every answer: what we serve is data, never to be sniffed, kept by a cache, or named to another site. */
export const BASE_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
}

/** A year over https alone, for this host alone: what else the operator serves under its domain is not ours to decide. */
export const HTTPS_ONLY = ['strict-transport-security', 'max-age=31536000'] as const

/** JSON that is text already. */
export function textAnswer(status: number, json: string, headers: Record<string, string> = {}): Answer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: json }
}

export function jsonAnswer(status: number, value: unknown, headers: Record<string, string> = {}): Answer {
  return textAnswer(status, JSON.stringify(value), headers)
}

export function emptyAnswer(status: number): Answer {
  return { status, headers: {}, body: null }
}

/**
 * Sends parts as they come, no faster than they are taken. What goes wrong before the first one is thrown, and becomes an
 * answer like any other error; what goes wrong later breaks the connection off.
 */
export async function streamAnswer(contentType: string, parts: AsyncIterable<string>): Promise<StreamedAnswer> {
  const taken = parts[Symbol.asyncIterator]()
  let next: IteratorResult<string> | null = await taken.next()
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const part = next ?? (await taken.next())
      next = null
      if (part.done === true) controller.close()
      else controller.enqueue(Buffer.from(part.value, 'utf8'))
    },
    async cancel() {
      await taken.return?.()
    },
  })
  return { status: 200, headers: { 'content-type': contentType }, body }
}

export function pageAnswer(html: string): Answer {
  return { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body: html }
}

export function toResponse(answer: Answer | StreamedAnswer, requestId: string): Response {
  const headers = { ...BASE_HEADERS, 'x-request-id': requestId, ...answer.headers }
  return new Response(answer.body, { status: answer.status, headers })
}

/** Writes an answer to a bare `node:http` response; nothing happens if the client has gone. */
export function writeAnswer(outgoing: ServerResponse, answer: Answer, requestId: string): void {
  if (outgoing.destroyed || outgoing.headersSent) return
  const body = answer.body ?? ''
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length
  const headers = { ...BASE_HEADERS, 'x-request-id': requestId, ...answer.headers, 'content-length': length }
  outgoing.writeHead(answer.status, headers)
  outgoing.end(body)
}
