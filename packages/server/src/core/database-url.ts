/** Of a `URL`. */
interface UrlParts {
  username: string
  pathname: string
  search: string
  searchParams: { has(name: string): boolean }
  hash: string
}

/**
 * Whether a password that is not percent-encoded has cut a database URL in two: in `postgres://user:12/3@host/name` the host
 * would be `user`, and the rest of the password would be shown as the name of a database.
 */
export function isCutByPassword({ username, pathname, search, searchParams, hash }: UrlParts): boolean {
  if (pathname.includes('@') || hash !== '') return true
  return username === '' && search.includes('@') && !searchParams.has('user')
}

/** A sentence's end for people. */
export const ENCODE_PASSWORD = 'has / ? or # in its user or password: write them as %2F, %3F and %23'
