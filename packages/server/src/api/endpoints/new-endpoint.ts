import type { Mode } from '@runbell/sdk/contract'
import type { EndpointDefaults } from '../context.ts'
import type { EndpointRow, SecretRow } from '../../store/rows.ts'
import type { EndpointInput } from './endpoint-input.ts'

/** What a new endpoint has besides what was asked for. */
export interface EndpointFacts {
  id: string
  tenantId: string
  mode: Mode
  /** Canonical and allowed; `null`: nothing is sent over HTTP. */
  url: string | null
  now: number
  schemaVersions: Record<string, number>
  defaults: EndpointDefaults
  secrets: SecretRow[]
  /** Sealed. */
  headers: Record<string, string>
}

export function newEndpointRow(input: EndpointInput, facts: EndpointFacts): EndpointRow {
  const { defaults, now } = facts
  return {
    position: 0,
    id: facts.id,
    tenantId: facts.tenantId,
    mode: facts.mode,
    kind: input.kind,
    url: facts.url,
    description: input.description,
    eventTypes: input.event_types,
    filter: input.filter,
    dataClasses: input.data_classes,
    schemaVersions: facts.schemaVersions,
    format: input.format,
    headers: facts.headers,
    headerPrefix: input.header_prefix,
    timeoutMs: input.timeout_ms ?? defaults.timeoutMs,
    maxInFlight: input.max_in_flight ?? defaults.maxInFlight,
    rateLimit: input.rate_limit,
    ordering: input.ordering,
    orderingOnDeadLetter: input.ordering_on_dead_letter,
    retrySchedule: input.retry_schedule ?? (input.kind === 'http' ? [...defaults.retrySchedule] : []),
    signing: input.signing,
    status: 'enabled',
    disabledReason: null,
    disabledAt: null,
    failingSince: null,
    createdAt: now,
    updatedAt: now,
    secrets: facts.secrets,
  }
}
