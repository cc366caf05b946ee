import type { ProblemDetail } from '@runbell/sdk/contract'

/** A field name (RFC 9110, section 5.6.2). */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$/
/** Printable ASCII without white space at its ends, which HTTP would take away. */
const VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/
const MAX_HEADERS = 50
const MAX_BYTES = 16 * 1024

/** Those that say what Runbell alone can say, or that steer the connection (RFC 9110, section 7.6.1). */
const REFUSED = new Set([
  'host',
  'cookie',
  'cookie2',
  'set-cookie',
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'accept-encoding',
])
const REFUSED_PREFIXES = ['content-', 'webhook-', 'runbell-']

/** What is wrong with an endpoint's own headers (guarantees, "Egress" 5); empty: nothing. */
export function headerProblems(headers: Readonly<Record<string, string>>): ProblemDetail[] {
  const problems: ProblemDetail[] = []
  const seen = new Set<string>()
  let bytes = 0
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase()
    const message = headerProblem(lower, value) ?? (seen.has(lower) ? 'is there twice, in another spelling' : null)
    seen.add(lower)
    bytes += name.length + value.length
    if (message !== null) problems.push({ path: `/headers/${pointerPart(name)}`, message })
  }
  if (seen.size > MAX_HEADERS) problems.push({ path: '/headers', message: `may have at most ${MAX_HEADERS} headers` })
  if (bytes > MAX_BYTES) problems.push({ path: '/headers', message: `may have at most ${MAX_BYTES} bytes in all` })
  return problems
}

/** The headers that a prefix makes, with values that are in order. */
export function prefixedHeaders(prefix: string): Record<string, string> {
  return { [`${prefix}-id`]: '1', [`${prefix}-timestamp`]: '1', [`${prefix}-signature`]: '1' }
}

function headerProblem(name: string, value: string): string | null {
  if (!TOKEN.test(name)) return 'is not a header name'
  if (REFUSED.has(name)) return 'is set by Runbell or steers the connection'
  const prefix = REFUSED_PREFIXES.find((start) => name.startsWith(start))
  if (prefix !== undefined) return `headers that start with ${prefix} are set by Runbell`
  return VALUE.test(value) ? null : 'has a value that is not printable ASCII, or is empty'
}

function pointerPart(name: string): string {
  return name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')
}
