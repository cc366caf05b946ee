import type { JsonIndex } from './json-index.ts'
import type { JsonSpan } from './json-split.ts'

/**
 * The byte ranges to leave out so that `nodes` are gone and the rest is still JSON: each with its name and one comma,
 * in document order, never overlapping. All other bytes stay as they are. A node inside another one of the list is
 * covered by it.
 *
 * The comma that goes is the one before the member; a member with no kept one before it takes the one behind it
 * instead.
 *
 * @param nodes in rising order, not the root.
 */
export function removalSpans(json: JsonIndex, nodes: readonly number[]): JsonSpan[] {
  const spans: JsonSpan[] = []
  /** Per container: how many of its first children are removed without a gap. */
  const leading = new Map<number, number>()
  let covered = 0
  for (const node of nodes) {
    if (node < covered) continue
    covered = json.subtreeEnd(node)
    const parent = json.parent(node)
    const position = json.position(node)
    if (position !== (leading.get(parent) ?? 0)) {
      spans.push({ start: json.separatorStart(node), end: json.end(node) })
      continue
    }
    leading.set(parent, position + 1)
    const next = json.nextSibling(node)
    spans.push({ start: json.memberStart(node), end: next === -1 ? json.end(node) : json.memberStart(next) })
  }
  return spans
}
