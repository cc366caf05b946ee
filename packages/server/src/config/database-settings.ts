import { ENCODE_PASSWORD, isCutByPassword } from '../core/database-url.ts'
import { Secret } from '../core/secret.ts'
import { SettingError, type SettingSpec } from './setting-spec.ts'

/** `api`: takes requests. `worker`: delivers, and does what goes on by itself. */
export const ROLES = ['api', 'worker'] as const
export type Role = (typeof ROLES)[number]

export interface DatabaseSettings {
  /** `null`: the embedded database in the data folder. */
  databaseUrl: Secret | null
  /** Connections to Postgres at most. */
  databasePool: number
  /** In Postgres; made if it is not there. */
  databaseSchema: string
  roles: readonly Role[]
}

const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,62}$/

export const DATABASE_SETTINGS: { readonly [Name in keyof DatabaseSettings]: SettingSpec<DatabaseSettings[Name]> } = {
  databaseUrl: {
    env: 'RUNBELL_DATABASE_URL',
    flag: '--database-url',
    meaning: 'postgres://user:password@host:5432/database. Default: the embedded database in the data folder.',
    secret: true,
    default: () => null,
    parse(text) {
      if (text === '') return null
      if (!/^postgres(ql)?:\/\//.test(text)) throw new SettingError('has to begin with postgres:// or postgresql://')
      if (URL.canParse(text) && isCutByPassword(new URL(text))) throw new SettingError(ENCODE_PASSWORD)
      return new Secret(text)
    },
    format: (url) => (url === null ? '' : nameDatabase(url)),
  },
  databasePool: {
    env: 'RUNBELL_DATABASE_POOL',
    flag: null,
    meaning: 'Connections to Postgres that one process keeps at most, 2 to 200; one more listens for hints.',
    default: () => 10,
    parse(text) {
      const size = /^\d{1,3}$/.test(text) ? Number(text) : 0
      if (size < 2 || size > 200) throw new SettingError('is a whole number from 2 to 200')
      return size
    },
    format: String,
  },
  databaseSchema: {
    env: 'RUNBELL_DATABASE_SCHEMA',
    flag: null,
    meaning: 'Schema of Postgres that the tables are in; made if it is not there.',
    default: () => 'runbell',
    parse(text) {
      if (!SCHEMA_NAME.test(text)) throw new SettingError('has 1 to 63 characters of a-z 0-9 _ and no digit first')
      return text
    },
    format: String,
  },
  roles: {
    env: 'RUNBELL_ROLES',
    flag: '--roles',
    meaning:
      'What this process does: all, api (takes requests) or worker (delivers, and cleans up). Less than all needs Postgres.',
    default: () => ROLES,
    parse(text) {
      if (text === 'all') return ROLES
      const role = ROLES.find((known) => known === text)
      if (role === undefined) throw new SettingError('is one of all, api, worker')
      return [role]
    },
    format: (roles) => (roles.length === ROLES.length ? 'all' : roles.join(',')),
  },
}

/** A database URL for people to recognise it by: without password and parameters. */
export function nameDatabase(secret: Secret): string {
  const text = secret.reveal()
  if (!URL.canParse(text)) return 'postgres://…'
  const { protocol, username, host, pathname } = new URL(text)
  return `${protocol}//${username === '' ? '' : `${username}@`}${host}${pathname}`
}

/** @throws SettingError where one process of several would have no database in common with the others */
export function checkDatabase({ databaseUrl, roles }: DatabaseSettings): void {
  if (databaseUrl !== null || roles.length === ROLES.length) return
  throw new SettingError(
    `RUNBELL_ROLES=${roles.join(',')} needs a database that several processes share: give RUNBELL_DATABASE_URL, or leave the role out`,
  )
}
