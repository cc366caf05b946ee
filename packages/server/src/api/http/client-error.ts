import { PROBLEMS } from '@runbell/sdk/contract'
import { BASE_HEADERS } from './answer.ts'
import { problemAnswer, refused, type Refused } from './problem.ts'
import { headersTooLarge, malformedHttp } from './request-form.ts'

/** What to answer to a request that `node:http` could not read (its event `clientError`). */
export function refusalOfClientError({ code }: Error & { code?: string }): Refused {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return headersTooLarge()
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return refused('payload_too_large', 'The chunk extensions are too long.', 'Send chunks without extensions.')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return refused('request_timeout', 'The request did not come whole in time.', 'Send it again, and faster.')
    default:
      return malformedHttp('This is not an HTTP request.')
  }
}

/** `CONNECT` asks for a tunnel, and this is no proxy. */
export function refusalOfTunnel(): Refused {
  const allow = 'GET, HEAD, POST, PATCH, DELETE'
  return refused('method_not_allowed', 'This server opens no tunnels.', 'Do not use it as a proxy.', [], { allow })
}

/** A whole answer as it goes over the wire, for where there is no response object; it ends the connection. */
export function renderClosingAnswer(
  { refusal, headers }: Refused,
  requestId: string,
  more: Readonly<Record<string, string>>,
): string {
  const answer = problemAnswer(refusal, requestId, headers)
  const body = answer.body as string
  const fields = {
    ...BASE_HEADERS,
    ...more,
    'x-request-id': requestId,
    ...answer.headers,
    'content-length': String(Buffer.byteLength(body)),
    date: new Date().toUTCString(),
    connection: 'close',
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  const { status, title } = PROBLEMS[refusal.code]
  return `HTTP/1.1 ${status} ${title}\r\n${lines.join('')}\r\n${body}`
}
