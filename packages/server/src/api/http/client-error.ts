import type { Duplex } from 'node:stream'
import { PROBLEMS } from '@runbell/sdk/contract'
import { BASE_HEADERS } from './answer.ts'
import { problemAnswer, refused } from './problem.ts'

/**
 * Answers what `node:http` could not read as a request (its event `clientError`): the answer is written by hand, since
 * there is no response object, and the connection is closed, since nobody knows where the next request would begin.
 */
export function answerClientError(error: Error & { code?: string }, socket: Duplex, requestId: string): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const tooLong = error.code === 'HPE_HEADER_OVERFLOW'
  const code = tooLong ? 'payload_too_large' : 'invalid_request'
  const detail = tooLong
    ? 'The request line and headers are too long.'
    : 'This is not an HTTP request, or it came too slowly.'
  const fix = tooLong ? 'Send fewer or shorter headers.' : 'Send a request as in RFC 9112.'
  const { headers, body } = problemAnswer(refused(code, detail, fix).refusal, requestId)
  const fields = {
    ...BASE_HEADERS,
    'x-request-id': requestId,
    ...headers,
    'content-length': Buffer.byteLength(body as string),
    connection: 'close',
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${PROBLEMS[code].status} ${PROBLEMS[code].title}\r\n${lines.join('')}\r\n${body as string}`)
}
