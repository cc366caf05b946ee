import type { DataClass, Mode, Scope } from '@runbell/sdk/contract'
import type { ApiKeyRow, ReadScope } from '../../store/rows.ts'
import { refused, type Refused } from '../http/problem.ts'

/** Who asks: what an API key may do and see. */
export interface Principal {
  keyId: string
  mode: Mode
  scopes: ReadonlySet<Scope>
  /** `null`: not bound to a tenant. */
  tenantId: string | null
  dataClasses: readonly DataClass[]
}

export function principalOf(row: ApiKeyRow): Principal {
  const { id: keyId, mode, scopes, tenantId, dataClasses } = row
  return { keyId, mode, scopes: new Set(scopes), tenantId, dataClasses }
}

/** Whether the key has one of these scopes; `admin` has all of them (details 12). */
export function hasScope(principal: Principal, anyOf: readonly Scope[]): boolean {
  return principal.scopes.has('admin') || anyOf.some((scope) => principal.scopes.has(scope))
}

export function missingScope(anyOf: readonly Scope[]): Refused {
  const wanted = anyOf.length === 1 ? `the scope ${anyOf[0]}` : `one of the scopes ${anyOf.join(', ')}`
  return refused(
    'insufficient_scope',
    `This needs an API key with ${wanted}.`,
    `Use a key that has ${wanted}, or admin.`,
  )
}

/** For what belongs to all tenants. @param why a clause, such as `Event types belong to all tenants` */
export function refusedToBound(why: string): Refused {
  const fix = 'Use a key that is bound to no tenant.'
  return refused('insufficient_scope', `${why}, and this API key is bound to one.`, fix)
}

export function foreignTenant(path: string): Refused {
  const message = 'this API key is bound to another tenant'
  const fix = 'Leave tenant_id out, or use a key of that tenant.'
  return refused('insufficient_scope', `${path}: ${message}.`, fix, [{ path, message }])
}

/**
 * What a request may see (details 10): a bound key its own tenant, an unbound one the tenant asked for, or all.
 * @throws Refused `insufficient_scope` when a bound key asks for another tenant
 */
export function readScope(principal: Principal, askedTenant: string | undefined): ReadScope {
  const { mode, tenantId } = principal
  if (tenantId === null) return { mode, tenantId: askedTenant ?? null }
  if (askedTenant !== undefined && askedTenant !== tenantId) throw foreignTenant('/query/tenant_id')
  return { mode, tenantId }
}
