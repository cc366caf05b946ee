export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

/** Of values in any order; `NaN` of none. */
export function percentile(values: readonly number[] | Float64Array, share: number): number {
  const sorted = Float64Array.from(values).toSorted()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
