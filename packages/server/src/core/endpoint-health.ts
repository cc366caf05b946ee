/** An endpoint is disabled after so long of nothing but failure (contract, "Retries"), ms. */
export const FAILING_FOR_MS = 5 * 86_400_000

/** How much of that has passed when its tenant is warned, in percent. */
const WARN_AT = [90, 70, 50] as const

/** The latest warning that is due, in percent; `null`: none yet. */
export function warningDue(failingSince: number, now: number): number | null {
  const percent = ((now - failingSince) / FAILING_FOR_MS) * 100
  return WARN_AT.find((level) => percent >= level) ?? null
}

/** Endpoints that have failed since then, or for longer, are to be warned of. */
export function warnedSince(now: number): number {
  return now - (FAILING_FOR_MS * WARN_AT[2]) / 100
}

/** Whether it is worth a word that an endpoint has recovered: only where it was warned of. */
export function isRecoveryTold(failingSince: number | null, now: number): boolean {
  return failingSince !== null && failingSince <= warnedSince(now)
}

/** When it is disabled unless something is delivered before. */
export function disabledAt(failingSince: number): number {
  return failingSince + FAILING_FOR_MS
}
