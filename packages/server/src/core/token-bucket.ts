/** How much one may do: so many a second over time, and a stock of so many at once. */
export interface BucketLimits {
  /** More than 0. */
  perSecond: number
  /** At least 1. */
  burst: number
}

/** What is left, as of a moment. */
export interface Bucket {
  tokens: number
  /** Monotonic ms. */
  at: number
}

export function fullBucket(limits: BucketLimits, at: number): Bucket {
  return { tokens: limits.burst, at }
}

/** What has come in since; a clock that stands or goes back adds nothing. */
export function refill(bucket: Bucket, { perSecond, burst }: BucketLimits, now: number): Bucket {
  const gained = (Math.max(0, now - bucket.at) * perSecond) / 1000
  return { tokens: Math.min(burst, bucket.tokens + gained), at: Math.max(bucket.at, now) }
}

/** Takes one; `null`: there is none, and nothing is taken. */
export function takeToken(bucket: Bucket, limits: BucketLimits, now: number): Bucket | null {
  const { tokens, at } = refill(bucket, limits, now)
  return tokens < 1 ? null : { tokens: tokens - 1, at }
}

/** Ms until there is one. */
export function untilToken(bucket: Bucket, limits: BucketLimits, now: number): number {
  const { tokens } = refill(bucket, limits, now)
  return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) * 1000) / limits.perSecond)
}
