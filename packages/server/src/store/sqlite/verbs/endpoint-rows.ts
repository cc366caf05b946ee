import type { EndpointRow, SecretRow } from '../../rows.ts'
import { endpointStatuses, modes } from '../codes.ts'
import type { Database, Row } from '../database.ts'

export const ENDPOINT_COLUMNS = `ref, id, mode, tenant_id, status, disabled_reason, disabled_at, failing_since, config,
  created_at, updated_at`

/** What stands in columns of its own; everything else of an endpoint is in `config`. */
type Columns =
  | 'position'
  | 'id'
  | 'tenantId'
  | 'mode'
  | 'status'
  | 'disabledReason'
  | 'disabledAt'
  | 'failingSince'
  | 'createdAt'
  | 'updatedAt'
  | 'secrets'

/** The part of an endpoint that is kept as JSON. */
export function configOf(endpoint: EndpointRow): string {
  const { position, id, tenantId, mode, status, disabledReason, disabledAt, failingSince, ...rest } = endpoint
  const { createdAt, updatedAt, secrets, ...config } = rest
  void [position, id, tenantId, mode, status, disabledReason, disabledAt, failingSince, createdAt, updatedAt, secrets]
  return JSON.stringify(config)
}

export function endpointFrom(db: Database, row: Row): EndpointRow {
  const config = JSON.parse(row['config'] as string) as Omit<EndpointRow, Columns>
  return {
    ...config,
    orderingOnDeadLetter: config.orderingOnDeadLetter ?? 'skip',
    // Endpoints from before there were prefixes have none.
    headerPrefix: config.headerPrefix ?? null,
    position: row['ref'] as number,
    id: row['id'] as string,
    tenantId: row['tenant_id'] as string,
    mode: modes.decode(row['mode']),
    status: endpointStatuses.decode(row['status']),
    disabledReason: row['disabled_reason'] as string | null,
    disabledAt: row['disabled_at'] as number | null,
    failingSince: row['failing_since'] as number | null,
    createdAt: row['created_at'] as number,
    updatedAt: row['updated_at'] as number,
    secrets: secretsOf(db, row['ref'] as number),
  }
}

export function secretsOf(db: Database, endpoint: number): SecretRow[] {
  const rows = db
    .prepare(
      'SELECT id, kind, value, public_key, created_at, expires_at FROM secrets WHERE endpoint = ? ORDER BY ordinal DESC',
    )
    .all(endpoint) as Row[]
  return rows.map((row) => ({
    id: row['id'] as string,
    kind: row['kind'] as SecretRow['kind'],
    value: row['value'] as string,
    publicKey: row['public_key'] as string | null,
    createdAt: row['created_at'] as number,
    expiresAt: row['expires_at'] as number | null,
  }))
}

/** Adds a secret as the newest of its endpoint. */
export function insertSecret(db: Database, endpoint: number, secret: SecretRow): void {
  db.prepare(
    `INSERT INTO secrets (id, endpoint, kind, value, public_key, created_at, expires_at, ordinal)
     VALUES (?, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(ordinal), 0) + 1 FROM secrets WHERE endpoint = ?))`,
  ).run(
    ...[secret.id, endpoint, secret.kind, secret.value, secret.publicKey, secret.createdAt, secret.expiresAt, endpoint],
  )
}
