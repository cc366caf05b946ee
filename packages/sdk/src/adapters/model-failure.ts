import type { ErrorCode } from '../catalog/index.ts'

/** Codes of providers, which say more than the status. */
const BY_CODE: Readonly<Record<string, ErrorCode>> = {
  insufficient_quota: 'quota_exceeded',
  context_length_exceeded: 'context_length_exceeded',
  content_filter: 'guardrail_blocked',
}

/**
 * What the class of a model's failure says: clients of all providers give their exceptions the HTTP `status` (or `statusCode`)
 * and some a `code`. Nothing else of it is read.
 */
export function modelFailureCode(exception: unknown, depth = 0): ErrorCode | null {
  if (typeof exception !== 'object' || exception === null || depth > 3) return null
  const { status, statusCode, code, lastError, cause } = exception as Record<string, unknown>
  const known = typeof code === 'string' && Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined
  if (known !== undefined) return known
  return codeOfStatus(status ?? statusCode) ?? modelFailureCode(lastError ?? cause, depth + 1)
}

function codeOfStatus(status: unknown): ErrorCode | null {
  if (typeof status !== 'number' || status < 400 || status > 599) return null
  if (status === 401 || status === 403) return 'configuration_error'
  if (status === 408) return 'timeout'
  if (status === 413) return 'context_length_exceeded'
  if (status === 429) return 'rate_limited'
  return status >= 500 ? 'model_unavailable' : 'model_error'
}
