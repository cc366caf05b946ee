import { CREDENTIAL_PATTERNS, type CredentialKind } from './credential-patterns.ts'

/** A part of a text that looks like a credential. Offsets in UTF-16 units, `end` exclusive. */
export interface FoundCredential {
  start: number
  end: number
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
  const found: FoundCredential[] = []
  for (const { kind, pattern, accepts } of CREDENTIAL_PATTERNS) {
    pattern.lastIndex = 0
    // Not `matchAll`: it copies the pattern at every call, which costs more than looking through most strings.
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      const place = match.indices?.[1] ?? match.indices?.[0]
      if (place === undefined) continue
      const [start, end] = place
      if (accepts?.(text.slice(start, end)) === false || overlaps(found, start, end)) continue
      found.push({ start, end, kind })
    }
  }
  return found.toSorted((one, other) => one.start - other.start)
}

function overlaps(found: readonly FoundCredential[], start: number, end: number): boolean {
  return found.some((other) => start < other.end && end > other.start)
}
