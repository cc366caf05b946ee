import type { CredentialKind } from './credential-patterns.ts'
import { findCredentials } from './find-credentials.ts'

/**
 * A text with every credential in it replaced by `***masked_<kind>***`, or by `***` where that would be longer than what it
 * stands for: what was within a limit stays within it. `null`: there is none, which is the common case. The mask has only
 * characters that may stand in a URL and that JSON does not escape; masking again changes nothing.
 */
export function maskCredentials(text: string): { text: string; kinds: CredentialKind[] } | null {
  const found = findCredentials(text)
  if (found.length === 0) return null
  let masked = ''
  let read = 0
  for (const { start, end, kind } of found) {
    const mask = `***masked_${kind}***`
    masked += text.slice(read, start) + (mask.length > end - start ? '***' : mask)
    read = end
  }
  return { text: masked + text.slice(read), kinds: found.map(({ kind }) => kind) }
}
