import type { ClientBase, QueryResult } from 'pg'
import { configPayload } from './hint-channel.ts'

/** A row as it is read: BIGINT as number, BYTEA as bytes, BOOLEAN as boolean. */
export type Row = Record<string, unknown>

/** What a `$n` may be. An array goes as a Postgres array: `= ANY($1)`, `unnest($1::bigint[])`. */
export type SqlValue = string | number | boolean | null | Uint8Array | readonly (string | number | boolean | null)[]

/** Statements that are prepared by name on a connection; more of them (lists with filters) are sent whole each time. */
const MAX_NAMED = 300
const names = new Map<string, string>()

/** One transaction's connection. */
export class Session {
  readonly #client: ClientBase
  readonly #hintChannel: string
  #firstFailure: unknown = null

  constructor(client: ClientBase, hintChannel: string) {
    this.#client = client
    this.#hintChannel = hintChannel
  }

  /** What went wrong first: everything after it fails because of it, and says only that. */
  get firstFailure(): unknown {
    return this.#firstFailure
  }

  /** All rows of a statement. */
  async rows(sql: string, ...values: SqlValue[]): Promise<Row[]> {
    return (await this.#query(sql, values)).rows as Row[]
  }

  /** The first row. */
  async row(sql: string, ...values: SqlValue[]): Promise<Row | undefined> {
    return (await this.rows(sql, ...values))[0]
  }

  /** Runs a statement that changes rows. Returns how many. */
  async run(sql: string, ...values: SqlValue[]): Promise<number> {
    return (await this.#query(sql, values)).rowCount ?? 0
  }

  async setting(name: 'config_version' | 'high_water'): Promise<number> {
    return (await this.row('SELECT value FROM settings WHERE name = $1', name))?.['value'] as number
  }

  configVersion(): Promise<number> {
    return this.setting('config_version')
  }

  /**
   * Counts up the version that everything cached outside the database is compared with, and tells the other nodes at the
   * commit. Only in verbs that hold the lock of the configuration alone: see `LOCKS`.
   */
  async bumpConfigVersion(): Promise<number> {
    const row = await this.row(
      `WITH bumped AS (UPDATE settings SET value = value + 1 WHERE name = 'config_version' RETURNING value)
       SELECT value, pg_notify($1, ${configPayload('value')}) FROM bumped`,
      this.#hintChannel,
    )
    return row?.['value'] as number
  }

  /** Sends a hint at the commit. */
  async notify(payload: string): Promise<void> {
    await this.row('SELECT pg_notify($1, $2)', this.#hintChannel, payload)
  }

  async #query(text: string, values: readonly SqlValue[]): Promise<QueryResult> {
    const name = nameOf(text)
    const query = { text, values: values.map((value) => (isArray(value) ? arrayText(value) : value)) }
    try {
      return await this.#client.query(name === null ? query : { ...query, name })
    } catch (error) {
      this.#firstFailure ??= error
      throw error
    }
  }
}

function isArray(value: SqlValue): value is readonly (string | number | boolean | null)[] {
  return Array.isArray(value)
}

/** An array as Postgres reads it; the driver's own way looks at each element in several turns. */
function arrayText(elements: readonly (string | number | boolean | null)[]): string {
  let text = '{'
  for (let index = 0; index < elements.length; index++) {
    const element = elements[index] as string | number | boolean | null
    if (index > 0) text += ','
    text += typeof element === 'string' ? quoted(element) : String(element)
  }
  return text + '}'
}

function quoted(text: string): string {
  return `"${/["\\]/.test(text) ? text.replaceAll(/["\\]/g, '\\$&') : text}"`
}

function nameOf(text: string): string | null {
  const known = names.get(text)
  if (known !== undefined) return known
  if (names.size >= MAX_NAMED) return null
  const name = `runbell_${names.size}`
  names.set(text, name)
  return name
}
