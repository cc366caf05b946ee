import type { EndpointView, SecretView } from '@runbell/sdk/contract'
import type { EndpointRow, SecretRow } from '../../store/rows.ts'
import { optionalTimeView, timeView } from './time.ts'

/** What is shown in place of a value that can be written and never read. */
export const HIDDEN = '•••'

export function endpointView(row: EndpointRow): EndpointView {
  return {
    id: row.id,
    tenant_id: row.tenantId,
    mode: row.mode,
    kind: row.kind,
    url: row.url,
    description: row.description,
    event_types: row.eventTypes,
    filter: row.filter,
    data_classes: row.dataClasses,
    schema_versions: pinsView(row),
    format: row.format,
    headers: Object.fromEntries(Object.keys(row.headers).map((name) => [name, HIDDEN])),
    header_prefix: row.headerPrefix,
    timeout_ms: row.timeoutMs,
    max_in_flight: row.maxInFlight,
    rate_limit: row.rateLimit,
    ordering: row.ordering,
    ordering_on_dead_letter: row.orderingOnDeadLetter,
    retry_schedule: row.retrySchedule,
    signing: row.signing,
    status: row.status,
    disabled_reason: row.disabledReason,
    created_at: timeView(row.createdAt),
    updated_at: timeView(row.updatedAt),
  }
}

/** The types it names, and those with another version than the first (decision 9). */
function pinsView({ eventTypes, schemaVersions }: EndpointRow): Record<string, number> {
  const named = eventTypes.filter((glob) => !glob.includes('*'))
  return { ...Object.fromEntries(named.map((type) => [type, 1])), ...schemaVersions }
}

/** A secret as it is listed. */
export interface ListedSecret extends SecretView {
  /** Which signature it makes. */
  kind: SecretRow['kind']
  /** Of ed25519: receivers verify with it. */
  public_key?: string
}

/** A secret without its value. */
export function secretView(row: SecretRow): ListedSecret {
  return {
    id: row.id,
    kind: row.kind,
    status: row.expiresAt === null ? 'active' : 'retiring',
    created_at: timeView(row.createdAt),
    expires_at: optionalTimeView(row.expiresAt),
    ...(row.publicKey === null ? {} : { public_key: row.publicKey }),
  }
}
