import type { ErrorCode, EventError } from '../../catalog/index.ts'
import type { Run } from '../../emit/index.ts'

/** The framework's own words for what kept the model from answering. */
const BY_WORD: Readonly<Record<string, ErrorCode>> = {
  authentication_failed: 'authentication_required',
  oauth_org_not_allowed: 'permission_denied',
  account_on_hold: 'permission_denied',
  verification_required: 'authentication_required',
  cloud_credential_error: 'authentication_required',
  billing_error: 'quota_exceeded',
  rate_limit: 'rate_limited',
  overloaded: 'model_unavailable',
  server_error: 'model_unavailable',
  invalid_request: 'model_error',
  model_not_found: 'configuration_error',
  max_output_tokens: 'output_limit_exceeded',
}

export function modelFailure(run: Run, word: unknown): EventError {
  const known = typeof word === 'string' && Object.hasOwn(BY_WORD, word) ? BY_WORD[word] : undefined
  return { ...run.errorOf(undefined, known ?? 'model_error'), origin: 'model' }
}
