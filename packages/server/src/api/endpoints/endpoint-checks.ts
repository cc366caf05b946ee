import { clearLength } from '../../core/sealed-text.ts'
import type { SecretOwner } from '../../secrets/vault.ts'
import type { ApiContext, UrlPolicy } from '../context.ts'
import { refused } from '../http/problem.ts'
import { HIDDEN } from '../views/endpoint-view.ts'
import { headerProblems, prefixedHeaders } from './header-rules.ts'

/** The canonical URL. @throws Refused `url_not_allowed` */
export function checkUrl(urls: UrlPolicy, url: string): string {
  const checked = urls.check(url)
  if (checked.ok) return checked.url
  throw refused('url_not_allowed', `/url: ${checked.reason}`, checked.fix, [{ path: '/url', message: checked.reason }])
}

/** @throws Refused `header_not_allowed` that names every one that is not allowed */
function checkHeaders(headers: Readonly<Record<string, string>>): void {
  const errors = headerProblems(headers)
  const [first] = errors
  if (first === undefined) return
  const fix = 'Leave these headers out; secrets of your own fit into headers such as authorization or x-….'
  throw refused('header_not_allowed', `${first.path}: ${first.message}.`, fix, errors)
}

/** @throws Refused `header_not_allowed` where an own header is one that the prefix makes */
export function checkPrefix(prefix: string | null, headers: Readonly<Record<string, string>>): void {
  if (prefix === null) return
  const made = prefixedHeaders(prefix)
  const taken = Object.keys(headers).filter((name) => Object.hasOwn(made, name.toLowerCase()))
  if (taken.length === 0) return
  const errors = taken.map((name) => ({
    path: `/headers/${name}`,
    message: `is set by Runbell for the prefix ${prefix}`,
  }))
  const fix = 'Leave the header out, or choose another header_prefix.'
  throw refused('header_not_allowed', `/headers: ${taken.join(', ')} would be sent twice.`, fix, errors)
}

/**
 * New headers, sealed, with the values that came back hidden as they were: whoever reads an endpoint can write it again.
 * @throws Refused `header_not_allowed`
 */
export async function sealHeaders(
  vault: ApiContext['vault'],
  owner: SecretOwner,
  headers: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>> = {},
): Promise<Record<string, string>> {
  const isKept = ([name, value]: [string, string]) => value === HIDDEN && Object.hasOwn(before, name)
  const entries = Object.entries(headers)
  // What is kept was in order, and counts with its length.
  const lengthOf = (name: string) => 'k'.repeat(clearLength(before[name] as string))
  checkHeaders(Object.fromEntries(entries.map((entry) => [entry[0], isKept(entry) ? lengthOf(entry[0]) : entry[1]])))
  const kept = entries.filter(isKept).map(([name]) => [name, before[name] as string])
  const fresh = Object.fromEntries(entries.filter((entry) => !isKept(entry)))
  return { ...(await vault.sealHeaders(owner, fresh)), ...(Object.fromEntries(kept) as Record<string, string>) }
}
