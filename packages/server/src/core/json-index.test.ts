import { expect, test } from 'vitest'
import type { JsonIndex } from './json-index.ts'
import { scanJson } from './json-scan.ts'

function indexOf(text: string): JsonIndex {
  const result = scanJson(new TextEncoder().encode(text))
  if (!result.ok) throw new Error(result.error.message)
  return result.json
}

const sample = indexOf(' {"id": "r\\u00e9", "list" :[1 , {"x":null},[]], "__proto__":{"a/b~":-0.5e1}, "né":true} ')

test('kinds, spans and names of members', () => {
  const list = sample.member(sample.root, 'list')
  expect(sample.kind(sample.root)).toBe('object')
  expect(sample.kind(list)).toBe('array')
  expect([...sample.children(list)].map((node) => sample.kind(node))).toEqual(['number', 'object', 'array'])
  expect([...sample.children(sample.root)].map((node) => sample.keyText(node))).toEqual([
    'id',
    'list',
    '__proto__',
    'né',
  ])
  expect(sample.source(list)).toBe('[1 , {"x":null},[]]')
  expect(sample.text(sample.member(0, 'id'))).toBe('ré')
  expect(sample.value(sample.member(0, 'né'))).toBe(true)
  expect(sample.keyText(sample.member(0, 'né'))).toBe('né')
  expect(sample.hasKey(list)).toBe(true)
  expect(sample.hasKey(sample.firstChild(list))).toBe(false)
  expect(sample.keyStart(sample.firstChild(list))).toBe(-1)
})

test('members and separators begin where the bytes say', () => {
  const at = (offset: number): string => String.fromCharCode(sample.bytes[offset] ?? 0)
  const id = sample.member(0, 'id')
  const list = sample.member(0, 'list')
  expect(sample.memberStart(id)).toBe(2)
  expect(sample.separatorStart(id)).toBe(2)
  expect(at(sample.memberStart(list))).toBe('"')
  expect(at(sample.separatorStart(list))).toBe(',')
  const second = sample.nextSibling(sample.firstChild(list))
  expect(sample.separatorStart(second)).toBe(sample.end(sample.firstChild(list)) + 1)
})

test('siblings, parents and positions', () => {
  const list = sample.member(0, 'list')
  const children = [...sample.children(list)]
  expect(children.map((node) => sample.position(node))).toEqual([0, 1, 2])
  expect(children.map((node) => sample.parent(node))).toEqual([list, list, list])
  expect(sample.firstChild(children[2] ?? 0)).toBe(-1)
  expect(sample.firstChild(children[0] ?? 0)).toBe(-1)
  expect(sample.nextSibling(children[2] ?? 0)).toBe(-1)
  expect(sample.nextSibling(sample.root)).toBe(-1)
  expect(sample.parent(sample.root)).toBe(-1)
  expect(sample.subtreeEnd(sample.root)).toBe(sample.nodeCount)
})

test('__proto__ is an ordinary name, and values keep it', () => {
  const proto = sample.member(0, '__proto__')
  expect(sample.pointer(sample.firstChild(proto))).toBe('/__proto__/a~1b~0')
  const value = sample.value(0) as object
  const plain = indexOf('{"__proto__":1}').value(0) as object
  expect(Object.keys(plain)).toEqual(['__proto__'])
  expect(Object.keys(value)).toContain('__proto__')
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  expect(sample.member(0, 'toString')).toBe(-1)
})

test('member is -1 for what is not there and for what is no object', () => {
  expect(sample.member(0, 'i')).toBe(-1)
  expect(sample.member(0, 'idd')).toBe(-1)
  expect(sample.member(0, '')).toBe(-1)
  expect(sample.member(sample.member(0, 'list'), '0')).toBe(-1)
  expect(sample.keyEquals(sample.root, '')).toBe(false)
  // U+0169 has 'i' in its low byte.
  expect(sample.member(0, '\u0169d')).toBe(-1)
})

test('a name that another text had does not change an escaped name, as it does in JSON.parse of Node 24 and 26', () => {
  // nodejs/node issue 63785: after the first text, JSON.parse reads the names of the others as a backslash.
  expect(indexOf('{"p":1,"\\\\":2}').value(0)).toEqual({ p: 1, '\\': 2 })
  JSON.parse('{"p":1,"\\\\":2}')
  expect(indexOf('{"p":1,"\\n":2}').value(0)).toEqual({ p: 1, '\n': 2 })
  expect(indexOf('[{"p":1,"\\u0041":[{"p":1,"\\"":2}]}]').value(0)).toEqual([{ p: 1, A: [{ p: 1, '"': 2 }] }])
})

test('text and names are only where they are', () => {
  expect(() => sample.text(0)).toThrow('a object has no text')
  expect(() => sample.keyText(0)).toThrow(TypeError)
})

test('a pointer can be capped: it ends at the last ancestor that fits', () => {
  const json = indexOf('{"abc":{"def":[1]}}')
  expect(json.pointer(3)).toBe('/abc/def/0')
  expect(json.pointer(3, 9)).toBe('/abc/def')
  expect(json.pointer(3, 7)).toBe('/abc')
  expect(json.pointer(3, 0)).toBe('')
})

test('a decoder that is handed in decodes long spans', () => {
  const bytes = new TextEncoder().encode(`["${'x'.repeat(100)}","short"]`)
  const spans: number[] = []
  const result = scanJson(bytes, {
    decode: (from, start, end) => {
      spans.push(end - start)
      return new TextDecoder().decode(from.subarray(start, end))
    },
  })
  if (!result.ok) throw new Error(result.error.message)
  expect(result.json.text(1)).toBe('x'.repeat(100))
  expect(result.json.text(2)).toBe('short')
  expect(spans).toEqual([100])
})
