import type { IncomingMessage } from 'node:http'
import { refused, type Refused } from './problem.ts'

/** Headers of one request. Proxies add a dozen; `node:http` would leave out silently what comes after its own limit. */
export const MAX_HEADERS = 128

/** Two of these and whoever stands in front of us may go by the other one. */
const AT_MOST_ONCE = ['host', 'authorization', 'content-type', 'content-encoding', 'idempotency-key']
const LENGTHS_OF_ONCE = new Set(AT_MOST_ONCE.map((name) => name.length))

/** A name, an IPv4 address or an IPv6 address in brackets, and perhaps a port (RFC 3986, section 3.2). */
const HOST = /^(?:[\w.~%!$&'()*+,;=-]+|\[[\da-f:.]+\])(?::\d{0,5})?$/i

const FIX = 'Send a request as in RFC 9112.'

/** A request that can be parsed, but not be relied on to mean the same to everybody who reads it. */
export function malformedHttp(detail: string, fix: string = FIX): Refused {
  return refused('malformed_http', detail, fix)
}

export function headersTooLarge(): Refused {
  const detail = `The request line and headers may have at most 16 KiB in at most ${MAX_HEADERS} headers.`
  return refused('headers_too_large', detail, 'Send fewer or shorter headers, and a shorter URL.')
}

/**
 * Why the form of a request is refused before anybody looks at what it asks for, or `null` (RFC 9112, sections 2 to 6).
 * What the parser of `node:http` refuses by itself never gets here.
 */
export function formRefusal({ httpVersion, rawHeaders, headers, url }: IncomingMessage): Refused | null {
  const isCurrent = httpVersion === '1.1'
  if (!isCurrent && httpVersion !== '1.0')
    return malformedHttp(`HTTP/${httpVersion} is not spoken here.`, 'Use HTTP/1.1.')
  if (rawHeaders.length > 2 * MAX_HEADERS) return headersTooLarge()
  const twice = findTwice(rawHeaders)
  if (twice !== null) return malformedHttp(`The header ${twice} is there twice.`, `Send the header ${twice} once.`)
  // HTTP/1.0 knows no Host, and health checks still speak it.
  if ((isCurrent || headers.host !== undefined) && !HOST.test(headers.host ?? '')) {
    return malformedHttp('There is no header host that names a host.', 'Name the host of this server.')
  }
  const coding = headers['transfer-encoding']
  if (coding !== undefined && (!isCurrent || coding.toLowerCase() !== 'chunked')) {
    return malformedHttp('Only chunked is known as a transfer-encoding.', 'Send the body as it is, chunked at most.')
  }
  if (isCurrent && headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue') {
    return malformedHttp('Only 100-continue can be expected.', 'Leave out the header expect.')
  }
  return isPathOrUrl(url ?? '') ? null : malformedHttp('The request target is neither a path nor an http URL.')
}

/** Whether the client sends its body only after `100 Continue`. */
export function awaitsContinue({ httpVersion, headers }: IncomingMessage): boolean {
  return headers.expect !== undefined && httpVersion === '1.1'
}

function isPathOrUrl(target: string): boolean {
  return target.startsWith('/') || /^https?:\/\//i.test(target)
}

/** `rawHeaders` has names and values in turn, names as they were written. */
function findTwice(rawHeaders: readonly string[]): string | null {
  let seen = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    if (!LENGTHS_OF_ONCE.has(name.length)) continue
    const place = AT_MOST_ONCE.indexOf(name.toLowerCase())
    if (place === -1) continue
    if ((seen & (1 << place)) !== 0) return AT_MOST_ONCE[place] as string
    seen |= 1 << place
  }
  return null
}
