import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { ENCODE_PASSWORD, isCutByPassword } from '../../core/database-url.ts'
import { DatabaseUnusable } from './start-errors.ts'

export interface ConnectionSettings {
  host: string
  port: number
  user: string
  /** Nothing: `PGPASSWORD` or `.pgpass`, as for every client of Postgres. */
  password: string | undefined
  database: string
  applicationName: string | null
  connectTimeoutMs: number | null
  tls: Tls
}

/** `preferred`: the server is asked, and if it has none the connection goes without. */
export interface Tls {
  mode: 'off' | 'preferred' | 'required'
  options: ConnectionOptions
}

const TLS_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
const KNOWN = new Set([
  ...['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'application_name', 'connect_timeout', 'host', 'port', 'user'],
  ...['password', 'dbname'],
])

/**
 * Reads a connection URL as libpq does: `postgres://user:password@host:port/database?sslmode=verify-full&sslrootcert=FILE`.
 * `sslmode` means what it means there: `require` encrypts and checks no certificate unless `sslrootcert` is given.
 * @throws DatabaseUnusable where it cannot be read, or asks for something that is not known
 */
export function readConnectionUrl(text: string): ConnectionSettings {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^postgres(?:ql)?:$/.test(url.protocol)) {
    throw new DatabaseUnusable('the database URL has to look like postgres://user:password@host:5432/database')
  }
  if (isCutByPassword(url)) throw new DatabaseUnusable(`the database URL ${ENCODE_PASSWORD}`)
  const query = url.searchParams
  for (const name of query.keys()) {
    if (!KNOWN.has(name)) throw new DatabaseUnusable(`the database URL has a parameter that is not known: ${name}`)
  }
  const host = query.get('host') ?? (decoded(url.hostname).replace(/^\[|\]$/g, '') || 'localhost')
  const user = query.get('user') ?? (decoded(url.username) || 'postgres')
  return {
    host,
    user,
    port: wholeNumber('port', query.get('port')) ?? Number(url.port || '5432'),
    password: query.get('password') ?? (url.password === '' ? undefined : decoded(url.password)),
    database: query.get('dbname') ?? (decoded(url.pathname.slice(1)) || user),
    applicationName: query.get('application_name'),
    connectTimeoutMs: seconds(wholeNumber('connect_timeout', query.get('connect_timeout'))),
    tls: tlsOf(query, host),
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new DatabaseUnusable('the database URL has a % that begins no percent-encoded byte: write it as %25')
  }
}

function wholeNumber(name: string, text: string | null): number | null {
  if (text === null) return null
  if (!/^\d{1,5}$/.test(text)) throw new DatabaseUnusable(`${name} of the database URL is a whole number`)
  return Number(text)
}

function seconds(count: number | null): number | null {
  return count === null ? null : count * 1000
}

function tlsOf(query: URLSearchParams, host: string): Tls {
  const mode = (query.get('sslmode') ?? 'prefer') as (typeof TLS_MODES)[number]
  if (!TLS_MODES.includes(mode)) {
    throw new DatabaseUnusable(`sslmode of the database URL is one of ${TLS_MODES.join(', ')}`)
  }
  // A socket file of this machine.
  if (mode === 'disable' || host.startsWith('/')) return { mode: 'off', options: {} }
  const rootPath = query.get('sslrootcert')
  const root = rootPath === 'system' ? null : rootPath
  const options: ConnectionOptions = {
    rejectUnauthorized: mode.startsWith('verify') || (mode === 'require' && rootPath !== null),
    ...(root === null ? {} : { ca: readCertificate(root) }),
    ...fileOption('cert', query.get('sslcert')),
    ...fileOption('key', query.get('sslkey')),
  }
  // libpq: without `verify-full` the name in the certificate does not matter.
  if (mode !== 'verify-full') options.checkServerIdentity = () => undefined
  return { mode: mode === 'prefer' ? 'preferred' : 'required', options }
}

function fileOption(name: 'cert' | 'key', path: string | null): ConnectionOptions {
  return path === null ? {} : { [name]: readCertificate(path) }
}

function readCertificate(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new DatabaseUnusable(`a certificate of the database URL cannot be read: ${(error as Error).message}`)
  }
}
