import type { RateState } from '../../accept/tenant-gate.ts'

/**
 * How much a tenant may publish yet, as draft-ietf-httpapi-ratelimit-headers-10 has it: the policy is a quota of events in a window of
 * seconds; what remains, and in how many seconds all of it is there again.
 */
export function rateHeaders(rate: RateState | null): Record<string, string> {
  if (rate === null) return {}
  const { quota, windowSeconds, remaining, resetSeconds } = rate
  return {
    'ratelimit-policy': `"publish";q=${Math.max(1, Math.floor(quota))};w=${windowSeconds}`,
    ratelimit: `"publish";r=${remaining};t=${resetSeconds}`,
  }
}

/** Whole seconds, at least one (RFC 9110, 10.2.3). */
export function retryAfter(ms: number): Record<string, string> {
  return { 'retry-after': String(Math.max(1, Math.ceil(ms / 1000))) }
}
