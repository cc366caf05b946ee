import type { IncomingMessage } from 'node:http'
import { invalid, type Refused } from './problem.ts'
import { unsupportedMediaType } from './content-type.ts'

/** Of these a second one would be read differently by whoever stands in front of us: by name, in lower case. */
const ONCE = new Set(['host', 'authorization', 'content-type', 'content-encoding', 'idempotency-key'])
const ONCE_LENGTHS = new Set([...ONCE].map(({ length }) => length))

/**
 * What is wrong with a request that Node's parser let pass; `null`: nothing. One of HTTP/1.0 may leave Host out (RFC 9112, section 3.2):
 * it gets one, because routing wants a URL.
 */
export function checkForm(incoming: IncomingMessage): Refused | null {
  const { rawHeaders, headers, httpVersionMinor } = incoming
  const repeated = repeatedHeader(rawHeaders)
  if (repeated !== null) {
    return invalid([{ path: `/headers/${repeated}`, message: 'is there twice' }], 'Send this header once.')
  }
  // A coding that is taken off here might be one that a proxy did not know, or the other way about (RFC 9112, section 6.1).
  const coding = headers['transfer-encoding']
  if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked') return unsupportedMediaType('application/json')
  if (headers.host === undefined && httpVersionMinor === 0) headers.host = 'localhost'
  return null
}

function repeatedHeader(rawHeaders: readonly string[]): string | null {
  const seen: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    if (!ONCE_LENGTHS.has(name.length)) continue
    const lower = name.toLowerCase()
    if (!ONCE.has(lower)) continue
    if (seen.includes(lower)) return lower
    seen.push(lower)
  }
  return null
}
