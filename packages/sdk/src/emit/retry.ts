const FIRST_DELAY_MS = 250
/** No wait between two tries is longer, so that an agent that awaits `emit` or `flush` is not held for minutes. */
export const MAX_DELAY_MS = 30_000

/**
 * How long to wait before the next try, in milliseconds; `null` where the server wants more than `MAX_DELAY_MS`: then
 * giving up is right, and coming back early is not.
 * @param retry from 0
 * @param retryAfter the header: seconds or an HTTP date (RFC 9110, section 10.2.3)
 * @param random from 0 to below 1: "equal jitter", half of the delay is fixed, so that clients spread
 * @param now milliseconds since 1970
 */
export function retryDelay(retry: number, retryAfter: string | null, random: number, now: number): number | null {
  const delay = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** retry)
  const jittered = delay / 2 + (delay / 2) * random
  const wanted = retryAfterMs(retryAfter, now)
  if (wanted > MAX_DELAY_MS) return null
  // Jitter on top: everyone who was told the same moment would come at the same moment.
  return wanted > 0 ? Math.max(wanted + FIRST_DELAY_MS * random, jittered) : jittered
}

function retryAfterMs(header: string | null, now: number): number {
  if (header === null) return 0
  if (/^[0-9]{1,9}$/.test(header)) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? 0 : Math.max(0, date - now)
}

/** Waits; ends early, without an error, when the signal aborts. */
export function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve()
    const finish = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', finish)
      resolve()
    }
    const timer = setTimeout(finish, ms)
    signal?.addEventListener('abort', finish, { once: true })
  })
}
