import { Client, type ClientConfig } from 'pg'
import { MAX_INSPECTED_URLS, type InspectedContent, type Inspection } from '../inspection.ts'
import { readConnectionUrl } from './connection-url.ts'
import { clientConfig } from './database.ts'
import { KNOWN_SCHEMA } from './schema.ts'
import { explainStart } from './start-errors.ts'

export interface PostgresInspection extends Inspection {
  /** Such as `18.4`. */
  serverVersion: string
  /** It is a standby: nothing can be written to it. */
  standby: boolean
  /** Whether the user may make the schema, or its tables in it. */
  mayCreate: boolean
  /** Tables in the schema that another user owns: they could not be brought up to date. */
  foreignTables: number
  maxConnections: number
  /** Milliseconds since 1970 by its clock, and how long the answer took. */
  time: { now: number; tookMs: number }
}

/** Somebody sits in front of this. */
const STATEMENT_TIMEOUT_MS = 10_000

/**
 * Looks into a database: nothing is made, changed or locked.
 * @throws DatabaseUnusable with what to do, or what the driver throws
 */
export async function inspectPostgres({ url, schema }: { url: string; schema: string }): Promise<PostgresInspection> {
  const settings = readConnectionUrl(url)
  const { mode, options } = settings.tls
  let client: Client
  try {
    client = await connect(clientConfig(settings, mode === 'off' ? false : options), mode === 'preferred')
  } catch (error) {
    throw explainStart(error, settings)
  }
  try {
    return await look(client, schema)
  } finally {
    await client.end()
  }
}

async function connect(config: ClientConfig, mayBePlain: boolean): Promise<Client> {
  const client = new Client({ ...config, statement_timeout: STATEMENT_TIMEOUT_MS, query_timeout: STATEMENT_TIMEOUT_MS })
  client.on('error', () => {})
  try {
    await client.connect()
    return client
  } catch (error) {
    await client.end().catch(() => {})
    const hasNoTls = /does not support SSL/i.test((error as Error).message)
    if (mayBePlain && hasNoTls) return await connect({ ...config, ssl: false }, false)
    throw error
  }
}

async function look(client: Client, schema: string): Promise<PostgresInspection> {
  const row = async (sql: string, ...values: unknown[]) =>
    (await client.query(sql, values)).rows[0] as Record<string, unknown>
  const askedAt = performance.now()
  const { now } = await row('SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now')
  const tookMs = performance.now() - askedAt
  const facts = await row(
    `SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS standby,
       current_setting('max_connections')::int AS connections,
       CASE WHEN to_regnamespace(quote_ident($1)) IS NULL THEN has_database_privilege(current_database(), 'CREATE')
         ELSE has_schema_privilege(quote_ident($1), 'CREATE') END AS may_create,
       to_regclass(quote_ident($1) || '.schema_version') IS NOT NULL AS is_there,
       (SELECT count(*) FROM pg_tables WHERE schemaname = $1
         AND NOT pg_has_role(tableowner, 'USAGE'))::int AS foreign_tables`,
    schema,
  )
  const isThere = facts['is_there'] === true
  if (isThere) await client.query(`SET search_path = ${client.escapeIdentifier(schema)}`)
  const version = isThere ? Number((await row('SELECT version FROM schema_version'))?.['version'] ?? 0) : 0
  return {
    ...{ schema: version, knownSchema: KNOWN_SCHEMA, movedTo: null },
    content: version === KNOWN_SCHEMA ? await contentOf(client) : null,
    serverVersion: String(facts['version']).split(' ', 1)[0] as string,
    standby: facts['standby'] === true,
    mayCreate: facts['may_create'] === true,
    foreignTables: Number(facts['foreign_tables']),
    maxConnections: Number(facts['connections']),
    time: { now: Number(now), tookMs },
  }
}

async function contentOf(client: Client): Promise<InspectedContent> {
  const all = async (sql: string) => (await client.query(sql)).rows as Record<string, unknown>[]
  const [settings, keys, masters, urls] = [
    await all(`SELECT value FROM settings WHERE name = 'high_water'`),
    await all(
      `SELECT count(*) AS count FROM api_keys WHERE scopes LIKE '%admin%' AND revoked_at IS NULL
       AND (expires_at IS NULL OR expires_at > extract(epoch FROM now()) * 1000)`,
    ),
    await all('SELECT DISTINCT master_key_id AS id FROM data_keys'),
    await all(
      `SELECT DISTINCT config::json ->> 'url' AS url FROM endpoints
       WHERE deleted_at IS NULL AND config::json ->> 'url' IS NOT NULL LIMIT ${MAX_INSPECTED_URLS}`,
    ),
  ]
  return {
    highWater: Number(settings[0]?.['value'] ?? 0),
    adminKeys: Number(keys[0]?.['count']),
    masterKeyIds: masters.map(({ id }) => String(id)),
    urls: urls.map(({ url }) => String(url)),
  }
}
