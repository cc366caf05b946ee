import type { EndpointKind, ProblemDetail } from '@runbell/sdk/contract'
import { invalid } from '../http/problem.ts'
import type { EndpointPatchInput } from './endpoint-input.ts'

/** What says something of HTTP requests, and nothing of what is fetched or listened for. */
const ONLY_OF_HTTP: Readonly<Record<Exclude<EndpointKind, 'http'>, readonly (keyof EndpointPatchInput)[]>> = {
  pull: ['url', 'headers', 'timeout_ms', 'max_in_flight', 'rate_limit', 'retry_schedule'],
  relay: ['url', 'headers', 'retry_schedule'],
}

/**
 * Whether fields fit the kind of their endpoint.
 * @throws Refused `invalid_request` that names every one that does not
 */
export function checkKind(kind: EndpointKind, input: EndpointPatchInput): void {
  if (kind === 'http') return
  const errors = ONLY_OF_HTTP[kind].flatMap((field): ProblemDetail[] => {
    const value = input[field]
    const isUnset = value === undefined || value === null || (field === 'headers' && Object.keys(value).length === 0)
    return isUnset
      ? []
      : [{ path: `/${field}`, message: `means nothing for an endpoint of kind ${kind}; leave it out` }]
  })
  if (errors.length > 0) throw invalid(errors)
}
