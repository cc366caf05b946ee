import { Secret } from '../src/core/secret.ts'
import type { OpenEndpoint } from '../src/secrets/open-endpoint.ts'
import type { EndpointRow } from '../src/store/rows.ts'

/** Opens endpoints whose secrets are not sealed at all. */
export async function openPlain(endpoints: readonly EndpointRow[]): Promise<OpenEndpoint[]> {
  return endpoints.map(asOpen)
}

export function asOpen(endpoint: EndpointRow): OpenEndpoint {
  return {
    ...endpoint,
    secrets: endpoint.secrets.map((row) => ({ ...row, value: new Secret(row.value) })),
    headers: Object.fromEntries(Object.entries(endpoint.headers).map(([name, value]) => [name, new Secret(value)])),
  }
}
