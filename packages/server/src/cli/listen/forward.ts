import { request, type IncomingMessage } from 'node:http'
import { request as requestTls } from 'node:https'

/** An attempt as a relay endpoint hands it out. */
export interface RelayedAttempt {
  attempt_id: string
  delivery_id: string
  number: number
  headers: Record<string, string>
  body_base64: string
  timeout_ms: number
}

/** What came of it, as the server takes it. */
export interface RelayOutcome {
  status_code?: number
  error?: 'timeout' | 'dns_failed' | 'connect_failed' | 'tls_failed' | 'protocol_error'
  duration_ms: number
  response_headers?: Record<string, string>
  response_excerpt_base64?: string
  truncated?: boolean
}

/** Of an answer's body this much is told (guarantee G11), and of its headers. */
const EXCERPT_BYTES = 16 * 1024
const HEADER_BYTES = 8 * 1024
/** The outcome has to be back before the server's own deadline. */
const MARGIN_MS = 500
/** Set by the connection to the target. */
const OF_THE_CONNECTION = new Set(['host', 'connection', 'content-length', 'transfer-encoding'])

/** Sends the stored bytes with their headers to the target. What came of it is a value. */
export async function forwardAttempt(target: string, attempt: RelayedAttempt): Promise<RelayOutcome> {
  const startedAt = performance.now()
  const signal = AbortSignal.timeout(Math.max(1, attempt.timeout_ms - MARGIN_MS))
  const took = () => Math.round(performance.now() - startedAt)
  try {
    const response = await post(new URL(target), attempt, signal)
    const { excerpt, truncated } = await excerptOf(response)
    return {
      status_code: response.statusCode ?? 0,
      duration_ms: took(),
      response_headers: headersOf(response),
      response_excerpt_base64: excerpt.toString('base64'),
      truncated,
    }
  } catch (error) {
    return { error: signal.aborted ? 'timeout' : errorOf(error), duration_ms: took() }
  }
}

function post(url: URL, { headers, body_base64: body }: RelayedAttempt, signal: AbortSignal): Promise<IncomingMessage> {
  const sent = Object.fromEntries(
    Object.entries(headers).filter(([name]) => !OF_THE_CONNECTION.has(name.toLowerCase())),
  )
  return new Promise((resolve, reject) => {
    const start = url.protocol === 'https:' ? requestTls : request
    start(url, { method: 'POST', headers: sent, signal })
      .once('response', resolve)
      .once('error', reject)
      .end(Buffer.from(body, 'base64'))
  })
}

/** Nothing in the body turns an answer into a failure, not even its end. */
async function excerptOf(response: IncomingMessage): Promise<{ excerpt: Buffer; truncated: boolean }> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      length += chunk.length
      if (length > EXCERPT_BYTES) break
    }
  } catch {
    // It broke off: what came is told.
  }
  return { excerpt: Buffer.concat(chunks).subarray(0, EXCERPT_BYTES), truncated: length > EXCERPT_BYTES }
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  let bytes = 0
  const kept = Object.entries(headers).flatMap(([name, value]): [string, string][] => {
    const text = Array.isArray(value) ? value.join(', ') : (value ?? '')
    bytes += name.length + text.length
    return bytes > HEADER_BYTES || name.length > 200 ? [] : [[name, text]]
  })
  return Object.fromEntries(kept)
}

function errorOf(error: unknown): NonNullable<RelayOutcome['error']> {
  const { code = '' } = error as NodeJS.ErrnoException
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'dns_failed'
  if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO/.test(code)) return 'tls_failed'
  if (/^HPE_|ECONNRESET|EPIPE/.test(code)) return 'protocol_error'
  return 'connect_failed'
}
