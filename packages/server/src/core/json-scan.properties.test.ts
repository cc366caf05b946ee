import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { damagedBytes, jsonBytes } from '../../test/json-corpus/arbitraries.ts'
import { actualOutcome, expectedOutcome, parseStrictly, readReference } from '../../test/json-corpus/reference.ts'
import { scanJson } from './json-scan.ts'
import type { JsonIndex } from './json-index.ts'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const unlimited = { maxDepth: Infinity, maxMembers: 1_000_000 }

function indexOf(bytes: Uint8Array): JsonIndex {
  const result = scanJson(bytes, unlimited)
  if (!result.ok) throw new Error(result.error.message)
  return result.json
}

/** What a JSON Pointer leads to. */
function resolve(value: unknown, pointer: string): unknown {
  let current = value
  for (const token of pointer.split('/').slice(1)) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~')
    if (!Object.hasOwn(current as object, name)) throw new Error(`nothing at ${pointer}`)
    current = (current as Record<string, unknown>)[name]
  }
  return current
}

test('every JSON text is accepted with the value that JSON.parse gives', () => {
  fc.assert(
    fc.property(jsonBytes, (bytes) => {
      const json = indexOf(bytes)
      // Tells -0 from 0, and unlike expect's does not trip over members named constructor.
      expect(isDeepStrictEqual(json.value(json.root), parseStrictly(bytes)?.value)).toBe(true)
    }),
    { numRuns: 500 },
  )
})

test('damaged texts are accepted exactly when JSON.parse does, save duplicates and lone surrogates', () => {
  const seen = new Map<string, number>()
  fc.assert(
    fc.property(damagedBytes, (bytes) => {
      const expected = expectedOutcome(bytes)
      seen.set(expected, (seen.get(expected) ?? 0) + 1)
      expect(actualOutcome(bytes)).toBe(expected)
    }),
    { numRuns: 2_000 },
  )
  // The property means something only if it met every outcome.
  expect([...seen.keys()].toSorted()).toEqual(['duplicate_key', 'malformed_json', 'ok'])
})

test('any bytes at all are answered, never thrown at, and agree too', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      expect(actualOutcome(bytes)).toBe(expectedOutcome(bytes))
    }),
    { numRuns: 2_000 },
  )
})

test('the span of every node is exact, and its pointer leads to it', () => {
  fc.assert(
    fc.property(jsonBytes, (bytes) => {
      const json = indexOf(bytes)
      const root = parseStrictly(bytes)?.value
      for (let node = 0; node < json.nodeCount; node += 1) {
        const source = decoder.decode(bytes.slice(json.start(node), json.end(node)))
        expect(source).toBe(source.trim())
        const { value } = readReference(source)
        expect(isDeepStrictEqual(json.value(node), value)).toBe(true)
        expect(isDeepStrictEqual(resolve(root, json.pointer(node)), value)).toBe(true)
        if (json.hasKey(node)) {
          const key = decoder.decode(bytes.slice(json.keyStart(node), json.keyEnd(node)))
          expect(json.keyText(node)).toBe(JSON.parse(key))
          expect(json.member(json.parent(node), json.keyText(node))).toBe(node)
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('limits are exact: the text passes at its own depth and size and fails at one less', () => {
  fc.assert(
    fc.property(jsonBytes, (bytes) => {
      const { depth, members } = readReference(decoder.decode(bytes))
      expect(scanJson(bytes, { maxDepth: depth, maxMembers: members }).ok).toBe(true)
      if (depth > 0) expect(scanJson(bytes, { maxDepth: depth - 1 })).toMatchObject({ error: { code: 'too_deep' } })
      if (members > 0) {
        const options = { maxDepth: depth, maxMembers: members - 1 }
        expect(scanJson(bytes, options)).toMatchObject({ error: { code: 'too_many_members' } })
      }
    }),
    { numRuns: 500 },
  )
})

test('a text inside other bytes is scanned as if it were alone', () => {
  fc.assert(
    fc.property(
      damagedBytes,
      fc.uint8Array({ maxLength: 5 }),
      fc.uint8Array({ maxLength: 5 }),
      (bytes, before, after) => {
        const start = before.length
        const end = start + bytes.length
        const inside = scanJson(Uint8Array.from([...before, ...bytes, ...after]), { start, end })
        const alone = scanJson(bytes)
        expect(inside.ok).toBe(alone.ok)
        if (inside.ok || alone.ok) return
        expect(inside.error.offset).toBe(alone.error.offset + start)
        expect({ code: inside.error.code, path: inside.error.path }).toEqual({
          code: alone.error.code,
          path: alone.error.path,
        })
      },
    ),
    { numRuns: 1_000 },
  )
})
