import { scanJson } from '../../src/core/json-scan.ts'

/** A JSON text's value and facts about it, found the simple way: by recursion over the decoded text. */
export interface Reference {
  /**
   * `JSON.parse` is asked only about scalars: of a whole text Node 24 and 26 may read escaped names wrongly
   * (nodejs/node issue 63785), which these tests found.
   */
  value: unknown
  hasDuplicates: boolean
  hasLoneSurrogates: boolean
  depth: number
  members: number
}

/** Only for texts that `JSON.parse` accepts. */
export function readReference(text: string): Reference {
  const reference: Reference = { value: null, hasDuplicates: false, hasLoneSurrogates: false, depth: 0, members: 0 }
  const token = /[\t\n\r ]*("(?:[^"\\]|\\.)*"|[[\]{},:]|[^\t\n\r ,:[\]{}"]+)/y
  const next = (): string => token.exec(text)?.[1] ?? ''
  const scalar = (source: string): unknown => {
    const value: unknown = JSON.parse(source)
    if (typeof value === 'string' && /\p{Surrogate}/u.test(value)) reference.hasLoneSurrogates = true
    return value
  }
  const object = (depth: number): object => {
    const members = new Map<string, unknown>()
    for (let first = next(); first !== '}';) {
      const name = scalar(first) as string
      if (members.has(name)) reference.hasDuplicates = true
      reference.members += 1
      next() // the colon
      members.set(name, value(next(), depth))
      if (next() === '}') break
      first = next()
    }
    return Object.fromEntries(members)
  }
  const array = (depth: number): unknown[] => {
    const items: unknown[] = []
    for (let first = next(); first !== ']';) {
      reference.members += 1
      items.push(value(first, depth))
      if (next() === ']') break
      first = next()
    }
    return items
  }
  const value = (first: string, depth: number): unknown => {
    if (first !== '{' && first !== '[') return scalar(first)
    reference.depth = Math.max(reference.depth, depth + 1)
    return first === '{' ? object(depth + 1) : array(depth + 1)
  }
  reference.value = value(next(), 0)
  return reference
}

/** The reference of a text, `undefined` where `JSON.parse` refuses it. */
export function parseText(text: string): Reference | undefined {
  try {
    JSON.parse(text)
  } catch {
    return undefined
  }
  return readReference(text)
}

const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The reference of bytes, `undefined` where they are not UTF-8 or `JSON.parse` refuses them. */
export function parseStrictly(bytes: Uint8Array): Reference | undefined {
  let text: string
  try {
    text = strictDecoder.decode(bytes)
  } catch {
    return undefined
  }
  return parseText(text)
}

/** What `scanJson` without limits has to say about the bytes. */
export function expectedOutcome(bytes: Uint8Array): 'ok' | 'malformed_json' | 'duplicate_key' {
  const reference = parseStrictly(bytes)
  if (reference === undefined || reference.hasLoneSurrogates) return 'malformed_json'
  return reference.hasDuplicates ? 'duplicate_key' : 'ok'
}

/** What it says. */
export function actualOutcome(bytes: Uint8Array): string {
  const result = scanJson(bytes, { maxDepth: Infinity, maxMembers: 1_000_000 })
  return result.ok ? 'ok' : result.error.code
}
