import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { actualOutcome, expectedOutcome } from '../../test/json-corpus/reference.ts'
import { scanJson } from './json-scan.ts'

// Public corpora, beside the repository and never in it.
const data = fileURLToPath(new URL('../../../../../shared/data/', import.meta.url))
const suite = `${data}JSONTestSuite/test_parsing`
const naughty = `${data}naughty-strings/blns.json`

/** Valid by the grammar; refused because Runbell refuses equal names (contract, "Bytes"). */
const stricter = new Set(['y_object_duplicated_key.json', 'y_object_duplicated_key_and_value.json'])

function isThere(path: string): boolean {
  if (existsSync(path)) return true
  console.warn(`skipped: ${path} is not there`)
  return false
}

describe.skipIf(!isThere(suite))('JSONTestSuite', () => {
  const names = existsSync(suite) ? readdirSync(suite) : []

  test('is whole', () => {
    expect(names.length).toBeGreaterThan(300)
  })

  test.each(names)('%s', (name) => {
    const bytes = readFileSync(`${suite}/${name}`)
    const outcome = actualOutcome(bytes)
    if (stricter.has(name)) expect(outcome).toBe('duplicate_key')
    else if (name.startsWith('y_')) expect(outcome).toBe('ok')
    else if (name.startsWith('n_')) expect(outcome).toBe('malformed_json')
    else expect(outcome).toBe(expectedOutcome(bytes))
  })
})

describe.skipIf(!isThere(naughty))('big list of naughty strings', () => {
  const encoder = new TextEncoder()
  const strings = existsSync(naughty) ? (JSON.parse(readFileSync(naughty, 'utf8')) as string[]) : []

  test('is accepted as a whole with its value', () => {
    const bytes = readFileSync(naughty)
    const result = scanJson(bytes)
    expect(strings.length).toBeGreaterThan(400)
    expect(result.ok && result.json.value(0)).toEqual(strings)
  })

  test('each string survives as a name and as a value', () => {
    for (const text of strings) {
      const result = scanJson(encoder.encode(`{${JSON.stringify(text)}:${JSON.stringify(text)}}`))
      if (!result.ok) throw new Error(`${JSON.stringify(text)}: ${result.error.message}`)
      const node = result.json.member(0, text)
      expect(node).toBe(1)
      expect(result.json.text(node)).toBe(text)
      expect(result.json.keyText(node)).toBe(text)
    }
  })

  test('each string as raw bytes gets the answer of JSON.parse', () => {
    for (const text of strings) expect(actualOutcome(encoder.encode(text))).toBe(expectedOutcome(encoder.encode(text)))
  })
})
