/** What of the `fetch` standard is needed, so that any function of its kind fits. */
export type FetchFunction = (
  url: string,
  init: {
    method: string
    headers: Record<string, string>
    body?: string
    signal: AbortSignal
    redirect: 'manual'
  },
) => Promise<{ status: number; headers: { get(name: string): string | null }; text(): Promise<string> }>

export interface HttpRequest {
  url: string
  key: string
  /** JSON that is posted; `null`: nothing, and the method is GET. */
  body: string | null
  /** For the request and its answer together. */
  timeoutMs: number
  signal: AbortSignal | undefined
}

export type HttpOutcome =
  | { kind: 'answered'; status: number; retryAfter: string | null; text: string }
  | { kind: 'timed_out' }
  | { kind: 'aborted' }
  | { kind: 'failed'; cause: unknown }

/** One request; the only place of this package that opens a connection. Never rejects. */
export async function send(request: HttpRequest, fetchFunction: FetchFunction | undefined): Promise<HttpOutcome> {
  if (isAborted(request.signal)) return { kind: 'aborted' }
  const controller = new AbortController()
  const abort = () => controller.abort()
  // Not `AbortSignal.any` and `.timeout`: the first Node 20 does not have both.
  request.signal?.addEventListener('abort', abort, { once: true })
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    abort()
  }, request.timeoutMs)
  try {
    // Looked up now, so that instrumentation that replaces the global later is used.
    const call: FetchFunction = fetchFunction ?? ((url, init) => fetch(url, init))
    const authorization = `Bearer ${request.key}`
    const { body } = request
    const answer = await call(request.url, {
      ...(body === null
        ? { method: 'GET', headers: { authorization } }
        : { method: 'POST', headers: { authorization, 'content-type': 'application/json' }, body }),
      signal: controller.signal,
      // A redirect would carry the key to wherever it points.
      redirect: 'manual',
    })
    const text = await answer.text()
    return { kind: 'answered', status: answer.status, retryAfter: answer.headers.get('retry-after'), text }
  } catch (cause) {
    if (timedOut) return { kind: 'timed_out' }
    return isAborted(request.signal) ? { kind: 'aborted' } : { kind: 'failed', cause }
  } finally {
    clearTimeout(timer)
    request.signal?.removeEventListener('abort', abort)
  }
}

export function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true
}
