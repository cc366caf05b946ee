import { CREDENTIAL_PATTERNS, type CredentialKind, type CredentialPattern } from './credential-patterns.ts'
import { findPrivateKeys } from './private-key.ts'
import type { TextSpan } from './text-span.ts'

/** A part of a text that looks like a credential. */
export interface FoundCredential extends TextSpan {
  kind: CredentialKind
}

/**
 * What one of the patterns needs to be there at all. Most texts have none of it, and this is all that is done with them.
 */
const HINT =
  /[rs]k[-_]|AKIA|ASIA|AIza|GOCSPX|ya29|gh[pousr]_|github_pat|glpat|xox|xapp|hooks\.slack|whs|SK[0-9a-f]|SG\.|key-|npm_|pypi|hf_|gsk_|r8_|xai-|pplx|shp|_v1_|dapi|hv[sb]\.|dp\.|lin_api|ntn_|secret|PMAK|rb_(?:live|test)|:AA|AccountKey|AccessKey|sig=|Signature=|PRIVATE KEY|eyJ|:\/\/|(?:[0-9][ -]?){13}|bearer|basic|pass|pwd|api.?key|token|access.?key/i

/** Every credential in a text, in order, none overlapping another. Takes time in proportion to its length. */
export function findCredentials(text: string): FoundCredential[] {
  if (!HINT.test(text)) return []
  let found: FoundCredential[] = findPrivateKeys(text).map((span) => ({ ...span, kind: 'private_key' }))
  for (const pattern of CREDENTIAL_PATTERNS) {
    const more = findOne(text, pattern, found)
    if (more.length > 0) found = [...found, ...more].toSorted((one, other) => one.start - other.start)
  }
  return found
}

/** What one pattern finds besides what was found before. */
function findOne(text: string, { kind, pattern, accepts }: CredentialPattern, before: FoundCredential[]) {
  const found: FoundCredential[] = []
  pattern.lastIndex = 0
  // Not `matchAll`: it copies the pattern at every call, which costs more than looking through most strings.
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const place = match.indices?.[1] ?? match.indices?.[0]
    if (place === undefined) continue
    const [start, end] = place
    if (accepts?.(text.slice(start, end)) === false || overlaps(before, start, end)) continue
    found.push({ start, end, kind })
  }
  return found
}

/** @param found in order, none overlapping another */
function overlaps(found: readonly FoundCredential[], start: number, end: number): boolean {
  let [low, high] = [0, found.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((found[middle] as FoundCredential).end <= start) low = middle + 1
    else high = middle
  }
  const next = found[low]
  return next !== undefined && next.start < end
}
