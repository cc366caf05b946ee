import type { JsonIndex } from './json-index.ts'
import { HEAD, KEY_END, KEY_START, KIND_MASK, KIND_OBJECT, NEXT, NODE_SIZE, PLAIN_KEY } from './json-tape.ts'

/** Up to this many members pairs are compared: at most 276 comparisons of one integer. */
const PAIRWISE = 24

/** Comparisons of two names or fingerprints, counted so that tests can pin how they grow. */
export interface ComparisonCount {
  comparisons: number
}

const fingerprints = new Int32Array(PAIRWISE)
const members = new Int32Array(PAIRWISE)

/** Whether the spans from `left` and from `right` on hold the same bytes. */
function sameBytes(bytes: Uint8Array, left: number, right: number, length: number): boolean {
  for (let index = 0; index < length; index += 1) {
    if (bytes[left + index] !== bytes[right + index]) return false
  }
  return true
}

/**
 * The first member whose name came before, -1 for none, -2 where the object has too many members or a name that is not
 * plain: those go the general way. Compares fingerprints of length, first, middle and last byte, in which the names of
 * real objects nearly always differ; and those only when five of their bits were seen before.
 */
function findAmongFew(json: JsonIndex, object: number, work: ComparisonCount): number {
  const { bytes } = json
  const { cells, base } = json.tape
  const after = json.subtreeEnd(object)
  let count = 0
  let seen = 0
  for (let member = object + 1; member < after; count += 1) {
    const at = base + member * NODE_SIZE
    if (count === PAIRWISE || ((cells[at + HEAD] as number) & PLAIN_KEY) === 0) return -2
    const start = cells[at + KEY_START] as number
    const end = cells[at + KEY_END] as number
    const ends = ((bytes[start + 1] as number) << 8) | ((bytes[end - 2] as number) << 24)
    const print = ((end - start) & 0xff) | ends | ((bytes[(start + end) >> 1] as number) << 16)
    const bit = 1 << (Math.imul(print, 0x9e3779b1) >>> 27)
    if ((seen & bit) !== 0) {
      work.comparisons += count
      for (let index = 0; index < count; index += 1) {
        if (fingerprints[index] !== print) continue
        const earlier = base + (members[index] as number) * NODE_SIZE
        const earlierStart = cells[earlier + KEY_START] as number
        if ((cells[earlier + KEY_END] as number) - earlierStart !== end - start) continue
        if (sameBytes(bytes, earlierStart, start, end - start)) return member
      }
    }
    seen |= bit
    fingerprints[count] = print
    members[count] = member
    member = cells[at + NEXT] as number
  }
  return -1
}

/** 29 bits of FNV-1a over UTF-16 code units. Collisions can be chosen, so nothing but speed may rest on it. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < key.length; index += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193)
  }
  return hash >>> 3
}

/**
 * The smallest second position of equal names among `positions`, all of one hash. Sorted: chosen collisions cost n log
 * n.
 */
function findInGroup(keys: readonly string[], positions: number[], work: ComparisonCount): number {
  positions.sort((left, right) => {
    work.comparisons += 1
    const leftKey = keys[left] as string
    const rightKey = keys[right] as string
    return leftKey < rightKey ? -1 : leftKey > rightKey ? 1 : left - right
  })
  let found = Infinity
  for (let index = 1; index < positions.length; index += 1) {
    const position = positions[index] as number
    if (keys[position] === keys[positions[index - 1] as number]) found = Math.min(found, position)
  }
  return found
}

/**
 * Room for a position below the hash: 16,000,000 members are less than 2^24, and 29 + 24 bits are exact in a number.
 */
const POSITIONS = 2 ** 24

/**
 * Any object: names are sorted by hash as numbers (natively, worst case n log n), then those of equal hash by content.
 */
function findAmongMany(json: JsonIndex, object: number, work: ComparisonCount): number {
  const nodes: number[] = []
  const keys: string[] = []
  for (let member = json.firstChild(object); member !== -1; member = json.nextSibling(member)) {
    nodes.push(member)
    keys.push(json.keyText(member))
  }
  const order = new Float64Array(keys.length)
  for (const [position, key] of keys.entries()) order[position] = hashOf(key) * POSITIONS + position
  order.sort()
  let found = Infinity
  for (let from = 0; from < order.length;) {
    const hash = Math.floor((order[from] as number) / POSITIONS)
    let to = from + 1
    while (to < order.length && Math.floor((order[to] as number) / POSITIONS) === hash) to += 1
    if (to - from > 1) {
      const positions = Array.from(order.subarray(from, to), (entry) => entry % POSITIONS)
      found = Math.min(found, findInGroup(keys, positions, work))
    }
    from = to
  }
  return found === Infinity ? -1 : (nodes[found] as number)
}

/**
 * The first member whose name an earlier member of the same object already has, after unescaping; -1 when there is
 * none. Objects are looked at in document order. No hash seed and no luck: the worst case is n log n for any choice of
 * names.
 */
export function findDuplicateKey(json: JsonIndex, work: ComparisonCount = { comparisons: 0 }): number {
  const { cells, base, count } = json.tape
  for (let node = 0; node < count; node += 1) {
    const at = base + node * NODE_SIZE
    // Fewer than two members cannot be equal.
    if (((cells[at + HEAD] as number) & KIND_MASK) !== KIND_OBJECT || (cells[at + NEXT] as number) < node + 3) continue
    const few = findAmongFew(json, node, work)
    const found = few === -2 ? findAmongMany(json, node, work) : few
    if (found !== -1) return found
  }
  return -1
}
