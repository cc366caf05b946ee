/** The value that this share of the others do not exceed (nearest rank); `null`: there are none. @param share 0 to 1 */
export function percentile(sorted: readonly number[], share: number): number | null {
  if (sorted.length === 0) return null
  const rank = Math.min(sorted.length, Math.max(1, Math.ceil(share * sorted.length)))
  return sorted[rank - 1] as number
}
