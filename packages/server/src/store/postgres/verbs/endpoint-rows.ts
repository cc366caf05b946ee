import { endpointStatuses, modes } from '../../codes.ts'
import type { EndpointRow, SecretRow } from '../../rows.ts'
import type { Row, Session } from '../session.ts'

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

/** Endpoints in the order of their rows, with their secrets. */
export async function endpointsFrom(db: Session, rows: readonly Row[]): Promise<EndpointRow[]> {
  const secrets = await secretsOf(
    db,
    rows.map((row) => row['ref'] as number),
  )
  return rows.map((row) => {
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
      secrets: secrets.get(row['ref'] as number) ?? [],
    }
  })
}

/** Secrets by endpoint, newest first. */
async function secretsOf(db: Session, endpoints: readonly number[]): Promise<Map<number, SecretRow[]>> {
  const secrets = new Map<number, SecretRow[]>()
  if (endpoints.length === 0) return secrets
  const rows = await db.rows(
    `SELECT endpoint, id, kind, value, public_key, created_at, expires_at FROM secrets WHERE endpoint = ANY($1)
     ORDER BY endpoint, ordinal DESC`,
    endpoints,
  )
  for (const row of rows) {
    const endpoint = row['endpoint'] as number
    const secret: SecretRow = {
      id: row['id'] as string,
      kind: row['kind'] as SecretRow['kind'],
      value: row['value'] as string,
      publicKey: row['public_key'] as string | null,
      createdAt: row['created_at'] as number,
      expiresAt: row['expires_at'] as number | null,
    }
    secrets.set(endpoint, [...(secrets.get(endpoint) ?? []), secret])
  }
  return secrets
}

/** Adds secrets, which are given newest first, as the newest of their endpoint. */
export async function insertSecrets(db: Session, endpoint: number, secrets: readonly SecretRow[]): Promise<void> {
  for (const secret of secrets.toReversed()) {
    await db.run(
      `INSERT INTO secrets (id, endpoint, kind, value, public_key, created_at, expires_at, ordinal)
       VALUES ($1, $2, $3, $4, $5, $6, $7, (SELECT coalesce(max(ordinal), 0) + 1 FROM secrets WHERE endpoint = $2))`,
      ...[secret.id, endpoint, secret.kind, secret.value, secret.publicKey, secret.createdAt, secret.expiresAt],
    )
  }
}
