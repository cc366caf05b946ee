/** The database cannot be used as it is, and waiting will not help: the message says what to do. */
export class DatabaseUnusable extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'DatabaseUnusable'
  }
}

export class SchemaTooNew extends DatabaseUnusable {
  constructor(found: number, known: number) {
    super(`this database was written by a newer Runbell (schema ${found}, this one knows ${known}): upgrade Runbell`)
    this.name = 'SchemaTooNew'
  }
}

interface Place {
  user: string
  database: string
  host: string
  port: number
}

/** What to do about an error that came up while the database was opened; other errors stay as they are. */
export function explainStart(error: unknown, { user, database, host, port }: Place): unknown {
  const { code, message } = error as { code?: string; message?: string }
  const advice = adviceFor(code, message ?? '', { user, database, host, port })
  return advice === null ? error : new DatabaseUnusable(advice)
}

function adviceFor(code: string | undefined, message: string, place: Place): string | null {
  const where = `${place.host}:${place.port}`
  switch (code) {
    case '28P01':
      return `Postgres at ${where} refuses the password of user "${place.user}": put the right one into the database URL`
    case '28000':
      return `Postgres at ${where} does not let user "${place.user}" in (${message}): check the user, TLS (sslmode) and pg_hba.conf`
    case '3D000':
      return `Postgres at ${where} has no database "${place.database}": make it with createdb, or name another in the database URL`
    case '42501':
      return `user "${place.user}" may not make its tables in database "${place.database}" (${message}): grant it CREATE there`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host "${place.host}" of the database URL cannot be resolved: check its name`
    case 'ECONNREFUSED':
      return `no Postgres answers at ${where}: start it, or check host and port of the database URL`
    case undefined:
      if (/client password must be/i.test(message)) {
        return `Postgres at ${where} asks for the password of user "${place.user}": put it into the database URL, PGPASSWORD or .pgpass`
      }
      return adviceForTls(message, where)
    default:
      return adviceForTls(message, where) ?? adviceForCertificate(code, where)
  }
}

function adviceForTls(message: string, where: string): string | null {
  if (!/does not support SSL/i.test(message)) return null
  return `Postgres at ${where} speaks no TLS: turn it on there, or allow plain connections with ?sslmode=disable`
}

function adviceForCertificate(code: string | undefined, where: string): string | null {
  if (code === undefined || !/CERT|SELF_SIGNED|ISSUER|UNABLE_TO_VERIFY/.test(code)) return null
  return `the certificate of Postgres at ${where} cannot be verified (${code}): give its authority with ?sslrootcert=FILE`
}
