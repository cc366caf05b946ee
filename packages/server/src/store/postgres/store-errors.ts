import { StoreUnavailable } from '../store.ts'

/** Postgres' codes (appendix A of its manual) and those of sockets that mean: it cannot be reached, or not now. */
const UNAVAILABLE = new Set([
  // connection_exception: class 08, see below. Here: what ends or refuses a session.
  ...['57P01', '57P02', '57P03', '57P04', '57P05'],
  // query_canceled (statement_timeout), lock_not_available (lock_timeout), idle_in_transaction_session_timeout.
  ...['57014', '55P03', '25P03'],
  // serialization_failure, deadlock_detected: run again until it was too often.
  ...['40001', '40P01'],
  // read_only_sql_transaction: after a failover this is a standby.
  '25006',
  // out_of_memory, too_many_connections, configuration_limit_exceeded, io_error, crash.
  ...['53200', '53300', '53400', '53000', '58030', '58000', 'XX001'],
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ENETUNREACH', 'EHOSTUNREACH'],
  ...['ENOTFOUND', 'EAI_AGAIN', 'ENOENT'],
  // Wrong password, no such database: seen after the start only while somebody works on the server.
  ...['28P01', '28000', '3D000'],
])
const DISK_FULL = '53100'

/** What the driver says without a code. */
const LOST =
  /connection terminated|connection ended|connection error|timeout exceeded when trying to connect|client was closed|client has already been closed|timeout expired|query read timeout/i

/** An error of the driver as the store's interface knows it; a bug stays what it is. */
export function toStoreError(error: unknown): unknown {
  if (error instanceof StoreUnavailable || !(error instanceof Error)) return error
  const code = codeOf(error)
  if (code === DISK_FULL) return unavailable('storage_full', error)
  return isTransient(error) ? unavailable('unavailable', error) : error
}

function isTransient(error: Error): boolean {
  const code = codeOf(error)
  if (code !== undefined) return UNAVAILABLE.has(code) || code.startsWith('08')
  return LOST.test(error.message)
}

/** Whether the session behind this error is of no more use: it ended, or it ends up on a server that does not write. */
export function endsSession(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = codeOf(error)
  if (code === undefined) return LOST.test(error.message)
  return code.startsWith('08') || code.startsWith('57P') || code.startsWith('E') || code === '25006' || code === '25P03'
}

/** No answer came within the driver's time, and it has given up the connection. */
export function isNoAnswer(error: unknown): boolean {
  return error instanceof Error && codeOf(error) === undefined && /query read timeout/i.test(error.message)
}

/** Two transactions got into each other's way, and nothing of this one has happened: it can be run again at once. */
export function isConflict(error: unknown): boolean {
  const code = error instanceof Error ? codeOf(error) : undefined
  return code === '40001' || code === '40P01'
}

export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && codeOf(error) === '23505'
}

function unavailable(code: StoreUnavailable['code'], error: Error): StoreUnavailable {
  return Object.assign(new StoreUnavailable(code, error.message), { cause: error })
}

function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
