import type { RandomSource } from '../../core/clock.ts'

/**
 * Makes ids for requests: a random part per process and a counter, which costs nothing on the publishing route.
 * They name lines of the log; they are not secret.
 */
export function createRequestIds(random: RandomSource): () => string {
  const process = Buffer.from(random.bytes(9)).toString('base64url')
  let count = 0
  return () => `req_${process}_${(++count).toString(36)}`
}
