export interface SqlStoreOptions {
  /** The table; receivers that handle the same events differently need one each. @default "runbell_handled" */
  table?: string
  /** How long a done event is remembered, in milliseconds: longer than the sender retries. Above 0. @default 604800000 (7 days) */
  retentionMs?: number
  /** The time in milliseconds since 1970. @default Date.now */
  now?: () => number
}

export type SqlStoreSettings = Readonly<Required<SqlStoreOptions>>

/** The name goes into SQL as it is. */
const TABLE = /^[a-z_][a-z0-9_]{0,47}$/

/** @throws TypeError for an option that cannot be */
export function readSqlOptions(options: SqlStoreOptions): SqlStoreSettings {
  const { table = 'runbell_handled', retentionMs = 7 * 86_400_000, now = Date.now } = options
  if (!TABLE.test(table)) throw new TypeError('table has lower-case letters, digits and _, at most 48')
  if (!(retentionMs > 0)) throw new TypeError('retentionMs is above 0')
  return { table, retentionMs, now }
}
