/** How many letters apart a suggestion may be. */
const MAX_DISTANCE = 3

/** The name closest to what was written, for "did you mean"; `null` when none is close. */
export function nearest(written: string, names: Iterable<string>): string | null {
  if (written.length > 100) return null
  let best: string | null = null
  let bestDistance = Math.min(MAX_DISTANCE, Math.floor(written.length / 2)) + 1
  for (const name of names) {
    const distance = editDistance(written, name)
    if (distance < bestDistance) {
      best = name
      bestDistance = distance
    }
  }
  return best
}

/** Levenshtein distance: the fewest letters to insert, drop or change. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const change = (previous[column - 1] as number) + (from[row - 1] === to[column - 1] ? 0 : 1)
      const insert = (current[column - 1] as number) + 1
      const drop = (previous[column] as number) + 1
      current.push(Math.min(change, insert, drop))
    }
    previous = current
  }
  return previous[to.length] as number
}
