import { ALWAYS_GRANTED, maskOf } from '../../core/data-classes.ts'
import type { CursorPage, TenantRow } from '../rows.ts'
import type { Store } from '../store.ts'
import { MemoryEndpoints } from './endpoints.ts'
import { pageOf } from './reading.ts'

type Input<Verb extends keyof Store> = Parameters<Store[Verb]>[0]
type Output<Verb extends keyof Store> = ReturnType<Store[Verb]>

/** Types of events, and tenants with limits of their own. */
export class MemoryCatalog extends MemoryEndpoints {
  loadEventTypes(input: Input<'loadEventTypes'>): Output<'loadEventTypes'> {
    return this.verb('loadEventTypes', input, ({ mode }) => {
      const types = [...this.eventTypes.values()].filter((row) => row.mode === mode)
      const byName = types.toSorted((one, other) => (one.type < other.type ? -1 : 1))
      return { types: byName, configVersion: this.configVersion }
    })
  }

  putEventType(input: Input<'putEventType'>): Output<'putEventType'> {
    return this.verb('putEventType', input, ({ mode, type, definition, expected, maxTypes, now }) => {
      const key = `${mode} ${type}`
      const before = this.eventTypes.get(key)
      const revision = before?.revision ?? 0
      if (revision !== expected) return { kind: 'conflict' as const }
      const count = [...this.eventTypes.values()].filter((row) => row.mode === mode).length
      if (before === undefined && count >= maxTypes) return { kind: 'full' as const }
      const createdAt = before?.createdAt ?? now
      this.eventTypes.set(key, { mode, type, revision: revision + 1, definition, createdAt, updatedAt: now })
      return { kind: 'kept' as const, revision: revision + 1, configVersion: this.raiseConfigVersion() }
    })
  }

  listTenants(input: Input<'listTenants'>): Promise<CursorPage<TenantRow>> {
    return this.verb('listTenants', input, ({ scope, page }) => {
      const rows = [...this.tenants.values()].filter((row) => this.sees(scope, row))
      return pageOf(rows, page, (row) => row)
    })
  }

  countPending(input: Input<'countPending'>): Promise<number> {
    return this.verb('countPending', input, ({ mode, tenantId, limit }) => {
      const own = this.allOpen().filter(
        ({ event, dueAt }) => event.mode === mode && event.tenantId === tenantId && dueAt !== null,
      )
      return Math.min(own.length, limit)
    })
  }

  putTenant(input: Input<'putTenant'>): Output<'putTenant'> {
    return this.verb('putTenant', input, ({ mode, tenantId, maxDataClasses, limits, decidesApprovals, now }) => {
      const key = `${mode} ${tenantId}`
      const before = this.tenants.get(key)
      const position = before?.position ?? this.nextPosition()
      const times = { createdAt: before?.createdAt ?? now, updatedAt: now }
      const decidesSince = decidesApprovals ? (before?.decidesSince ?? now) : null
      const tenant = { position, tenantId, mode, maxDataClasses, limits, decidesSince, ...times }
      this.tenants.set(key, tenant)
      const allowed = maxDataClasses === null ? -1 : maskOf(maxDataClasses) | ALWAYS_GRANTED
      for (const { row } of this.living()) {
        if (row.mode !== mode || row.tenantId !== tenantId || (maskOf(row.dataClasses) & ~allowed) === 0) continue
        const left = row.dataClasses.filter((name) => (maskOf([name]) & ~allowed) === 0)
        this.changeGrants(row, left, now)
        row.updatedAt = now
      }
      return { tenant, configVersion: this.raiseConfigVersion() }
    })
  }
}
