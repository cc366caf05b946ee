import { MODES } from '@runbell/sdk/contract'
import { publicKeyOf } from '@runbell/sdk/signing'
import { isSealed } from '../core/sealed-text.ts'
import type { EndpointRow } from '../store/rows.ts'
import type { Store } from '../store/store.ts'
import type { Vault } from './vault.ts'

const PAGE = 500

/**
 * Seals the secrets and header values of a database from before they were sealed; in any other it finds nothing to do. Each endpoint
 * is changed in one transaction, so a start that is cut off goes on with the next one.
 * @returns how many endpoints were sealed
 */
export async function sealOld(store: Store, vault: Vault, now: number): Promise<number> {
  let sealed = 0
  for (const mode of MODES) {
    const scope = { mode, tenantId: null }
    for (let after: number | null = null; ;) {
      const page: Awaited<ReturnType<Store['listEndpoints']>> = await store.listEndpoints({
        ...{ scope, page: { limit: PAGE, after } },
      })
      for (const endpoint of page.rows.filter(hasClearValues)) {
        const patch = await sealedParts(vault, endpoint)
        await store.changeEndpoint({ scope, endpointId: endpoint.id, change: { kind: 'patch', patch }, now })
        sealed++
      }
      after = page.next
      if (after === null) break
    }
  }
  return sealed
}

function hasClearValues({ secrets, headers }: EndpointRow): boolean {
  return secrets.some(({ value }) => !isSealed(value)) || Object.values(headers).some((value) => !isSealed(value))
}

async function sealedParts(vault: Vault, endpoint: EndpointRow): Promise<Pick<EndpointRow, 'secrets' | 'headers'>> {
  const clear = Object.entries(endpoint.headers).filter(([, value]) => !isSealed(value))
  const headers = { ...endpoint.headers, ...(await vault.sealHeaders(endpoint, Object.fromEntries(clear))) }
  const secrets = endpoint.secrets.map(async (row) => {
    if (isSealed(row.value)) return row
    const publicKey = row.kind === 'ed25519' ? await publicKeyOf(row.value) : null
    return { ...row, publicKey, value: await vault.sealSecret(endpoint, row, row.value) }
  })
  return { headers, secrets: await Promise.all(secrets) }
}
