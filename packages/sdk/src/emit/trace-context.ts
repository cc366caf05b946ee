const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/

/**
 * The trace id of a `traceparent` header, or `null` where it is none: such a header is to be ignored.
 * Source: W3C Trace Context, sections 3.2 and 4.3 (a later version may have more at its end).
 */
export function traceIdOf(traceparent: string | undefined): string | null {
  const match = TRACEPARENT.exec(traceparent ?? '')
  if (match === null) return null
  const isCurrent = traceparent?.startsWith('00-') === true
  return isCurrent && traceparent.length !== 55 ? null : (match[1] as string)
}
