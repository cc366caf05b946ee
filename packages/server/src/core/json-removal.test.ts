import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonBytes } from '../../test/json-corpus/arbitraries.ts'
import type { JsonIndex } from './json-index.ts'
import { removalSpans } from './json-removal.ts'
import { scanJson } from './json-scan.ts'

function indexOf(bytes: Uint8Array): JsonIndex {
  const result = scanJson(bytes, { maxDepth: Infinity })
  if (!result.ok) throw new Error(result.error.message)
  return result.json
}

function textWithout(json: JsonIndex, nodes: readonly number[]): string {
  const decoder = new TextDecoder()
  let text = ''
  let at = 0
  for (const { start, end } of removalSpans(json, nodes)) {
    expect(start).toBeGreaterThanOrEqual(at)
    expect(end).toBeGreaterThan(start)
    text += decoder.decode(json.bytes.subarray(at, start))
    at = end
  }
  return text + decoder.decode(json.bytes.subarray(at))
}

/** The value without the removed nodes, built the slow way. */
function valueWithout(json: JsonIndex, node: number, removed: ReadonlySet<number>): unknown {
  const kept = [...json.children(node)].filter((child) => !removed.has(child))
  if (json.kind(node) === 'array') return kept.map((child) => valueWithout(json, child, removed))
  if (json.kind(node) !== 'object') return json.value(node)
  const members = kept.map(
    (child) => [JSON.stringify(json.keyText(child)), valueWithout(json, child, removed)] as const,
  )
  return Object.fromEntries(members)
}

/** Names as their source, so that `__proto__` needs no care. */
function withSourceNames(json: JsonIndex): unknown {
  return valueWithout(json, json.root, new Set())
}

test('each takes one comma, whichever members go', () => {
  const json = indexOf(new TextEncoder().encode('{ "a":1 , "b":[ 2 ,3] , "c":{"d":4} }'))
  const [a, b, c] = [json.member(0, 'a'), json.member(0, 'b'), json.member(0, 'c')]
  expect(textWithout(json, [])).toBe('{ "a":1 , "b":[ 2 ,3] , "c":{"d":4} }')
  expect(textWithout(json, [a])).toBe('{ "b":[ 2 ,3] , "c":{"d":4} }')
  expect(textWithout(json, [b])).toBe('{ "a":1  , "c":{"d":4} }')
  expect(textWithout(json, [c])).toBe('{ "a":1 , "b":[ 2 ,3]  }')
  expect(textWithout(json, [b, c])).toBe('{ "a":1   }')
  expect(textWithout(json, [a, b])).toBe('{ "c":{"d":4} }')
  expect(textWithout(json, [a, b, c])).toBe('{  }')
  expect(textWithout(json, [b, b + 1, b + 2])).toBe('{ "a":1  , "c":{"d":4} }')
  expect(textWithout(json, [b + 1, c + 1])).toBe('{ "a":1 , "b":[ 3] , "c":{} }')
})

test('any set of nodes can go, and what is left is the value without them', () => {
  fc.assert(
    fc.property(jsonBytes, fc.infiniteStream(fc.boolean()), (bytes, choice) => {
      const json = indexOf(bytes)
      const nodes = Array.from({ length: json.nodeCount - 1 }, (_, index) => index + 1)
      const removed = nodes.filter(() => choice.next().value)
      const left = indexOf(new TextEncoder().encode(textWithout(json, removed)))
      expect(isDeepStrictEqual(withSourceNames(left), valueWithout(json, json.root, new Set(removed)))).toBe(true)
    }),
    { numRuns: 500 },
  )
})
