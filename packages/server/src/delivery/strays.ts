import type { ClaimRef } from '../store/rows.ts'

/** Claims on record that nobody runs: left behind by an answer of the store that never came. */
export function findStrays(held: readonly ClaimRef[], running: Iterable<ClaimRef>): ClaimRef[] {
  const known = new Set(Array.from(running, nameOf))
  return held.filter((claim) => !known.has(nameOf(claim)))
}

/** The position alone is not enough: a delivery may be claimed again before its old run has ended. */
function nameOf({ position, number }: ClaimRef): string {
  return `${position}/${number}`
}
