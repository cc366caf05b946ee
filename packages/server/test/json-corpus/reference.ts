import { scanJson } from '../../src/core/json-scan.ts'

/** Facts about a JSON text, found the simple way: by recursion over the decoded text. */
export interface ReferenceFacts {
  hasDuplicates: boolean
  hasLoneSurrogates: boolean
  depth: number
  members: number
}

/** Only for texts that `JSON.parse` accepts. */
export function factsOf(text: string): ReferenceFacts {
  const facts: ReferenceFacts = { hasDuplicates: false, hasLoneSurrogates: false, depth: 0, members: 0 }
  const token = /[\t\n\r ]*("(?:[^"\\]|\\.)*"|[[\]{},:]|[^\t\n\r ,:[\]{}"]+)/y
  const next = (): string => token.exec(text)?.[1] ?? ''
  const string = (source: string): string => {
    const value = JSON.parse(source) as string
    if (/\p{Surrogate}/u.test(value)) facts.hasLoneSurrogates = true
    return value
  }
  const object = (depth: number): void => {
    const names = new Set<string>()
    for (let first = next(); first !== '}';) {
      const name = string(first)
      if (names.has(name)) facts.hasDuplicates = true
      names.add(name)
      facts.members += 1
      next() // the colon
      value(next(), depth)
      if (next() === '}') return
      first = next()
    }
  }
  const array = (depth: number): void => {
    for (let first = next(); first !== ']';) {
      facts.members += 1
      value(first, depth)
      if (next() === ']') return
      first = next()
    }
  }
  const value = (first: string, depth: number): void => {
    if (first.startsWith('"')) string(first)
    if (first !== '{' && first !== '[') return
    facts.depth = Math.max(facts.depth, depth + 1)
    if (first === '{') object(depth + 1)
    else array(depth + 1)
  }
  value(next(), 0)
  return facts
}

const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text and value that `JSON.parse` sees in the bytes, or `undefined`. */
export function parseStrictly(bytes: Uint8Array): { text: string; value: unknown } | undefined {
  try {
    const text = strictDecoder.decode(bytes)
    return { text, value: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}

/** What `scanJson` without limits has to say about the bytes. */
export function expectedOutcome(bytes: Uint8Array): 'ok' | 'malformed_json' | 'duplicate_key' {
  const parsed = parseStrictly(bytes)
  if (parsed === undefined) return 'malformed_json'
  const facts = factsOf(parsed.text)
  if (facts.hasLoneSurrogates) return 'malformed_json'
  return facts.hasDuplicates ? 'duplicate_key' : 'ok'
}

/** What it says. */
export function actualOutcome(bytes: Uint8Array): string {
  const result = scanJson(bytes, { maxDepth: Infinity, maxMembers: 1_000_000 })
  return result.ok ? 'ok' : result.error.code
}
