/** CPU time of the reference work on the machine that the bounds of tests were set on, in ms. */
const NOMINAL_MS = 7
const TRIES = 5

/**
 * How much slower than that machine this one is now; 1 where it is not. Bounds of CPU time are multiplied by it: two programs on
 * one core slow each other down.
 */
export function slowness(): number {
  const tries = Array.from({ length: TRIES }, referenceMs).toSorted((a, b) => a - b)
  return Math.max(1, (tries[TRIES >> 1] as number) / NOMINAL_MS)
}

/** Numbers and text, as a scanner has them. */
function referenceMs(): number {
  const text = JSON.stringify(Array.from({ length: 20_000 }, (_, index) => ({ key: `k${index}`, value: index * 1.5 })))
  const before = process.threadCpuUsage()
  let sum = 0
  for (let index = 0; index < text.length; index++) sum = (sum * 31 + text.charCodeAt(index)) | 0
  sum += (JSON.parse(text) as unknown[]).length
  const { user, system } = process.threadCpuUsage(before)
  return sum === 0 ? 0 : (user + system) / 1000
}
