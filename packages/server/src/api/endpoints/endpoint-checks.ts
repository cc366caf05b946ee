import type { UrlPolicy } from '../context.ts'
import { refused } from '../http/problem.ts'
import { HIDDEN } from '../views/endpoint-view.ts'
import { headerProblems } from './header-rules.ts'

/** The canonical URL. @throws Refused `url_not_allowed` */
export function checkUrl(urls: UrlPolicy, url: string): string {
  const checked = urls.check(url)
  if (checked.ok) return checked.url
  throw refused('url_not_allowed', `/url: ${checked.reason}`, checked.fix, [{ path: '/url', message: checked.reason }])
}

/** @throws Refused `header_not_allowed` that names every one that is not allowed */
export function checkHeaders(headers: Readonly<Record<string, string>>): void {
  const errors = headerProblems(headers)
  const [first] = errors
  if (first === undefined) return
  const fix = 'Leave these headers out; secrets of your own fit into headers such as authorization or x-….'
  throw refused('header_not_allowed', `${first.path}: ${first.message}.`, fix, errors)
}

/** New headers, with the values that came back hidden as they were: whoever reads an endpoint can write it again. */
export function keepHidden(
  headers: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>>,
): Record<string, string> {
  const kept = Object.entries(headers).map(([name, value]): [string, string] => {
    return [name, value === HIDDEN && Object.hasOwn(before, name) ? (before[name] as string) : value]
  })
  return Object.fromEntries(kept)
}
