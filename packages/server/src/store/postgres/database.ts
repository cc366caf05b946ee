import { Client, Pool, types, type ClientBase, type ClientConfig, type PoolClient } from 'pg'
import { StoreUnavailable } from '../store.ts'
import { readConnectionUrl, type ConnectionSettings } from './connection-url.ts'
import { hintChannel } from './hint-channel.ts'
import { lockKey, type LockKey } from './locks.ts'
import { ReconnectDelay } from './reconnect-delay.ts'
import { migrate } from './schema.ts'
import { Session } from './session.ts'
import { explainStart } from './start-errors.ts'
import { endsSession, isConflict, isNoAnswer, isUniqueViolation, toStoreError } from './store-errors.ts'

export interface DatabaseOptions {
  /** `postgres://user:password@host:port/database`, see `readConnectionUrl`. */
  url: string
  /** Connections at most. @default 10 */
  poolSize?: number
  /** Where the tables are; made if it is not there. @default `runbell` */
  schema?: string
  /** How long a statement's answer is waited for; 0: for ever. @default 45,000: a statement ends after 30 s at the latest */
  answerTimeoutMs?: number
}

/** What a transaction does about the configuration, see `LOCKS`; `read`: it changes nothing, and all it reads is one moment's truth. */
export type TransactionKind = 'read' | 'plain' | 'config-shared' | 'config-alone'

interface PoolSettings extends Required<Pick<DatabaseOptions, 'schema' | 'poolSize' | 'answerTimeoutMs'>> {
  ssl: ClientConfig['ssl']
}

export const DEFAULT_POOL_SIZE = 10
const DEFAULT_SCHEMA = 'runbell'
const CONNECT_TIMEOUT_MS = 5000
/** A connection that a network has swallowed never answers, and its statements' own limits are on the other side of it. */
const ANSWER_TIMEOUT_MS = 45_000
const KEEP_ALIVE_AFTER_MS = 10_000
/** No verb works for longer: what does hangs, or the database is overloaded. */
const STATEMENT_TIMEOUT_MS = 30_000
const LOCK_TIMEOUT_MS = 10_000
/** A process that stopped in the middle of a transaction must not hold its locks for longer than this. */
const IDLE_TIMEOUT_MS = 15_000
const MAX_TRIES = 8

/**
 * Connections to Postgres, and transactions on them.
 *
 * Sessions set what correctness or speed depends on, whatever the server's defaults are. `synchronous_commit=on`: a commit is on
 * the disk before it is answered (guarantee G1). `plan_cache_mode=force_custom_plan`: a plan made while a table was empty ran 60
 * times slower once it was full. `random_page_cost`: what is asked for is a few rows, mostly in memory; the default is for disks that
 * turn, and has a batch read the whole of a table of 10,000 rows. `jit`: compiling takes longer than any statement.
 */
export class Database {
  readonly #pool: Pool
  readonly #ready = new WeakSet<ClientBase>()
  readonly #setUp: string
  readonly #begin: Readonly<Record<TransactionKind, string>>
  readonly #delay = new ReconnectDelay()
  readonly #client: ClientConfig
  readonly schema: string
  readonly hintChannel: string
  #closed = false

  constructor(settings: ConnectionSettings, options: PoolSettings) {
    this.#client = clientConfig(settings, options.ssl)
    this.schema = options.schema
    this.hintChannel = hintChannel(options.schema)
    this.#setUp = sessionSettings(options.schema)
    const config = lockKey(options.schema, 'config').join(', ')
    this.#begin = {
      read: 'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY',
      plain: 'BEGIN',
      'config-shared': `BEGIN; SELECT pg_advisory_xact_lock_shared(${config})`,
      'config-alone': `BEGIN; SELECT pg_advisory_xact_lock(${config})`,
    }
    this.#pool = new Pool({
      ...this.#client,
      ...{ pipeline: true, max: options.poolSize, idleTimeoutMillis: 60_000, query_timeout: options.answerTimeoutMs },
    })
    // An idle connection broke: the pool has dropped it, and whoever needs one next gets another.
    this.#pool.on('error', () => {})
    // One that breaks while it is used: whoever uses it is told by the statement that fails.
    this.#pool.on('connect', (client) => void client.on('error', () => {}))
  }

  /** The key of one of this database's locks. */
  lock(name: 'positions' | 'sealing' | 'diagnostics'): LockKey {
    return lockKey(this.schema, name)
  }

  /**
   * Runs `work` in a transaction, and again where it got into another one's way (deadlock, or two that inserted the same key):
   * `work` must do everything through its session.
   * @throws StoreUnavailable where the database cannot be reached, or not now; whether it was committed is not known then
   */
  async transaction<Result>(kind: TransactionKind, work: (session: Session) => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries++) {
      const client = await this.#connect()
      // Sent together with the first statement of `work`; what comes of it is looked at when something failed.
      const begun = Promise.all([this.#prepare(client), client.query(this.#begin[kind])])
      begun.catch(() => {})
      const session = new Session(client, this.hintChannel)
      try {
        const result = await work(session)
        await this.#end(client, kind)
        return result
      } catch (error) {
        await this.#afterFailure(client, begun, session.firstFailure ?? error, tries)
      }
    }
  }

  /** Commits, and gives the connection back. Who only read need not wait for it. */
  async #end(client: PoolClient, kind: TransactionKind): Promise<void> {
    const ended = client.query('COMMIT')
    if (kind === 'read') {
      ended.then(
        () => client.release(),
        () => client.release(true),
      )
      return
    }
    const { command } = await ended
    // A commit of what has failed on the way is answered like this, and by no error.
    if (command !== 'COMMIT') throw new Error('a statement of this transaction failed, and nobody waited for it')
    client.release()
  }

  /** Gives the connection back, and throws unless the transaction may be run again. */
  async #afterFailure(client: PoolClient, begun: Promise<unknown>, error: unknown, tries: number): Promise<void> {
    const beforeIt = await begun.then(
      () => null,
      (reason: unknown) => reason,
    )
    const cause = beforeIt ?? error
    const broken = endsSession(cause) || !(await rollBack(client))
    client.release(broken)
    // A connection that broke while it was idle: nothing has happened, and the next one may be whole.
    // Where no answer came in time the others may say nothing either, each for as long.
    const isSilent = isNoAnswer(cause) || isNoAnswer(error)
    const isBroken = beforeIt !== null && endsSession(beforeIt) && !isSilent
    const idle = isBroken && tries <= (this.#pool.options.max ?? DEFAULT_POOL_SIZE)
    const conflict = !broken && (isConflict(cause) || isUniqueViolation(cause)) && tries < MAX_TRIES
    if (!idle && !conflict) throw toStoreError(cause)
    if (conflict) await this.#delay.pause(tries)
  }

  /** A client of its own, outside the pool, such as one that listens; the caller ends it. */
  async connectAlone(): Promise<Client> {
    const client = new Client(this.#client)
    client.on('error', () => {})
    try {
      await client.connect()
      await client.query(this.#setUp)
      return client
    } catch (error) {
      await client.end().catch(() => {})
      throw error
    }
  }

  /** Brings the schema up to date; see `migrate`. */
  async migrate(): Promise<void> {
    const client = await this.connectAlone()
    try {
      await migrate(client, this.schema, lockKey(this.schema, 'migration'))
    } finally {
      await client.end()
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#pool.end()
  }

  /** A connection's first work. */
  async #prepare(client: PoolClient): Promise<void> {
    if (this.#ready.has(client)) return
    await client.query(this.#setUp)
    this.#ready.add(client)
  }

  async #connect(): Promise<PoolClient> {
    if (this.#closed) throw new StoreUnavailable('unavailable', 'the store is closed')
    this.#delay.check()
    try {
      const client = await this.#pool.connect()
      this.#delay.succeeded()
      return client
    } catch (error) {
      // The database is there: others are at work with it.
      if (isPoolFull(error)) {
        throw new StoreUnavailable(
          'unavailable',
          `all ${this.#pool.options.max} connections to the database are in use`,
        )
      }
      this.#delay.failed()
      throw toStoreError(error)
    }
  }
}

/** What the pool says when no connection became free in time. */
function isPoolFull(error: unknown): boolean {
  return error instanceof Error && error.message === 'timeout exceeded when trying to connect'
}

/** `false`: the session is of no more use. */
async function rollBack(client: PoolClient): Promise<boolean> {
  try {
    await client.query('ROLLBACK')
    return true
  } catch {
    return false
  }
}

/**
 * Connects, and brings the schema up to date.
 * @throws DatabaseUnusable with what to do about it
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const settings = readConnectionUrl(options.url)
  const { schema = DEFAULT_SCHEMA, poolSize = DEFAULT_POOL_SIZE, answerTimeoutMs = ANSWER_TIMEOUT_MS } = options
  const open = (ssl: ClientConfig['ssl']) => new Database(settings, { schema, poolSize, answerTimeoutMs, ssl })
  let database = open(settings.tls.mode === 'off' ? false : settings.tls.options)
  try {
    try {
      await database.migrate()
    } catch (error) {
      const plain = settings.tls.mode === 'preferred' && /does not support SSL/i.test((error as Error).message)
      if (!plain) throw error
      await database.close()
      database = open(false)
      await database.migrate()
    }
    return database
  } catch (error) {
    await database.close()
    throw toStoreError(explainStart(error, settings))
  }
}

export function clientConfig(settings: ConnectionSettings, ssl: ClientConfig['ssl']): ClientConfig {
  const { host, port, user, password, database, applicationName, connectTimeoutMs } = settings
  return {
    ...{ host, port, user, database, ssl, types: { getTypeParser: typeParser } },
    ...(password === undefined ? {} : { password }),
    ...{ keepAlive: true, keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS },
    application_name: applicationName ?? 'runbell',
    connectionTimeoutMillis: connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
  }
}

/** Settings of a session, by statements: poolers in between refuse them in the first message of a connection. */
function sessionSettings(schema: string): string {
  return `SET search_path = "${schema.replaceAll('"', '""')}"; SET synchronous_commit = on; SET plan_cache_mode = force_custom_plan;
    SET statement_timeout = ${STATEMENT_TIMEOUT_MS}; SET lock_timeout = ${LOCK_TIMEOUT_MS};
    SET idle_in_transaction_session_timeout = ${IDLE_TIMEOUT_MS}; SET timezone = 'UTC'; SET bytea_output = 'hex';
    SET random_page_cost = 1.1; SET jit = off`
}

const INT8 = 20
const BYTEA = 17

/**
 * How values are read. BIGINT as a number: positions and milliseconds stay far below 2^53. BYTEA from its text form: the driver
 * mangles bytes in binary results.
 */
function typeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (oid === INT8) return Number
  if (oid === BYTEA) return bytesFrom
  return types.getTypeParser(oid, format)
}

function bytesFrom(text: string): Uint8Array {
  const buffer = Buffer.from(text.slice(2), 'hex')
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
}
