import type { HeaderNames } from './header-names.ts'
import { refuse, type VerifyFailure } from './verification.ts'

/** Headers in any form a server hands out: `Headers`, a `Map`, pairs, or a record with names in any case. */
export type RequestHeaders =
  | Iterable<readonly [string, string | readonly string[] | undefined]>
  | Readonly<Record<string, string | readonly string[] | undefined>>

function pairsOf(headers: RequestHeaders): Iterable<unknown> {
  if (Symbol.iterator in headers) return headers as Iterable<unknown>
  return Object.entries(headers)
}

/** The values of these headers, by lower-case name; more than one where a header was repeated. */
export function readHeaders(headers: RequestHeaders, names: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>(names.map((name) => [name, []]))
  for (const pair of pairsOf(headers)) {
    if (!Array.isArray(pair) || typeof pair[0] !== 'string') continue
    const values = found.get(pair[0].toLowerCase())
    if (values === undefined) continue
    for (const value of Array.isArray(pair[1]) ? pair[1] : [pair[1]]) {
      if (typeof value === 'string') values.push(value)
    }
  }
  return found
}

export interface SignatureHeaders {
  id: string
  timestamp: string
  signature: string
}

/** The three signature headers; each has to be there exactly once. */
export function readSignatureHeaders(headers: RequestHeaders, names: HeaderNames): SignatureHeaders | VerifyFailure {
  const found = readHeaders(headers ?? {}, [names.id, names.timestamp, names.signature])
  const missing: string[] = []
  for (const [name, values] of found) {
    if (values.length > 1) {
      const fix = 'Find what adds it a second time between the sender and here, often a proxy.'
      return refuse('repeated_header', `The header ${name} is there ${values.length} times.`, fix)
    }
    if (values.length === 0 || values[0] === '') missing.push(name)
  }
  if (missing.length > 0)
    return refuse('missing_header', `Missing: ${missing.join(', ')}.`, missingFix(missing.length, names))
  const value = (name: string) => (found.get(name) as string[])[0] as string
  return { id: value(names.id), timestamp: value(names.timestamp), signature: value(names.signature) }
}

function missingFix(count: number, names: HeaderNames): string {
  if (count < 3)
    return 'Find what removes it between the sender and here, often a proxy or a gateway with an allow-list.'
  return `Pass all headers of the request. If the sender uses other names than ${names.id}, set headerPrefix.`
}
