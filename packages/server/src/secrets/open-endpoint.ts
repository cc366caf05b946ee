import type { Secret } from '../core/secret.ts'
import type { EndpointRow, SecretRow } from '../store/rows.ts'

/** A signing secret that can be used. */
export interface OpenSecret extends Omit<SecretRow, 'value'> {
  value: Secret
}

/** An endpoint with what its deliveries need in the clear, wrapped so that it cannot be logged. */
export interface OpenEndpoint extends Omit<EndpointRow, 'secrets' | 'headers'> {
  /** `null`: they cannot be opened, and nothing is sent. */
  secrets: OpenSecret[] | null
  headers: Record<string, Secret>
}
