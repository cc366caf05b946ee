import type { DataClass } from '@runbell/sdk/contract'
import { ALWAYS_GRANTED, maskOf } from '../../core/data-classes.ts'
import type { CursorPage, EndpointChange, EndpointRow, MatchSet, ReadScope, SecretRow } from '../rows.ts'
import type { Store } from '../store.ts'
import { pageOf } from './reading.ts'
import { MemoryRequests } from './requests.ts'
import type { EndpointState } from './state.ts'

/** Deliveries of one endpoint that a change of its grants ends by itself; `cancelHeld` ends the others. */
const CANCEL_AT_ONCE = 1000

type Input<Verb extends keyof Store> = Parameters<Store[Verb]>[0]
type Output<Verb extends keyof Store> = ReturnType<Store[Verb]>
type Change<Kind extends EndpointChange['kind']> = Extract<EndpointChange, { kind: Kind }>

/** Endpoints and their secrets. */
export class MemoryEndpoints extends MemoryRequests {
  createEndpoint(input: Input<'createEndpoint'>): Output<'createEndpoint'> {
    return this.verb('createEndpoint', input, ({ endpoint, maxPerTenant }) => {
      if (this.endpoints.has(endpoint.id)) return { kind: 'created' as const, configVersion: this.configVersion }
      const { tenantId, mode } = endpoint
      const siblings = this.living().filter(({ row }) => row.tenantId === tenantId && row.mode === mode)
      if (siblings.length >= maxPerTenant) return null
      if (this.exceedsTenant(endpoint)) return { kind: 'too_much' as const, configVersion: this.configVersion }
      const listenedAt = endpoint.kind === 'relay' ? endpoint.createdAt : null
      this.endpoints.set(endpoint.id, {
        ...{ row: { ...endpoint, position: this.nextPosition() }, deletedAt: null, listenedAt },
      })
      return { kind: 'created' as const, configVersion: this.raiseConfigVersion() }
    })
  }

  findEndpoint(input: Input<'findEndpoint'>): Promise<EndpointRow | null> {
    return this.verb('findEndpoint', input, ({ scope, endpointId }) => this.visible(scope, endpointId)?.row ?? null)
  }

  listEndpoints(input: Input<'listEndpoints'>): Promise<CursorPage<EndpointRow>> {
    return this.verb('listEndpoints', input, ({ scope, page }) => {
      const rows = this.living().map(({ row }) => row)
      const found = rows.filter((row) => this.sees(scope, row))
      return pageOf(found, page, (row) => row)
    })
  }

  changeEndpoint(input: Input<'changeEndpoint'>): Output<'changeEndpoint'> {
    return this.verb('changeEndpoint', input, ({ scope, endpointId, change, now }) => {
      const endpoint = this.visible(scope, endpointId)
      if (endpoint === null || !this.applyChange(endpoint, change, now)) return null
      endpoint.row.updatedAt = now
      return { endpoint: endpoint.row, configVersion: this.raiseConfigVersion() }
    })
  }

  loadMatchSet(input: Input<'loadMatchSet'>): Promise<MatchSet> {
    return this.verb('loadMatchSet', input, ({ tenantId, mode }) => {
      const rows = this.living().map(({ row }) => row)
      const matching = rows.filter(
        (row) => row.mode === mode && (row.tenantId === tenantId || row.tenantId === '*') && row.status !== 'disabled',
      )
      const entries = matching.map(({ id, eventTypes, filter, ordering, format, dataClasses, schemaVersions }) => {
        return { endpointId: id, eventTypes, filter, ordering, format, dataClasses, schemaVersions }
      })
      const limits = this.tenants.get(`${mode} ${tenantId}`)?.limits ?? { eventsPerSecond: null, maxPending: null }
      return { configVersion: this.configVersion, limits, entries }
    })
  }

  loadEndpoints(input: Input<'loadEndpoints'>): Output<'loadEndpoints'> {
    return this.verb('loadEndpoints', input, ({ endpointIds }) => {
      const found = endpointIds.map((id) => this.endpoints.get(id))
      const endpoints = found.flatMap((state) => (state === undefined || state.deletedAt !== null ? [] : [state.row]))
      return { endpoints, configVersion: this.configVersion }
    })
  }

  readActivity(input: Input<'readActivity'>): Output<'readActivity'> {
    return this.verb('readActivity', input, ({ endpointId, since, deliveries, pendingLimit }) => {
      const own = [...this.deliveries.values()].filter((delivery) => delivery.endpointId === endpointId)
      const waiting = own.filter((delivery) => this.isWaiting(delivery) && !delivery.suspect)
      const counted = waiting.toSorted((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0)).slice(0, pendingLimit)
      const attempts = own.slice(-deliveries).flatMap((delivery) => delivery.attempts)
      return {
        pending: counted.length,
        oldestPendingAt: counted.length === 0 ? null : Math.min(...counted.map(({ createdAt }) => createdAt)),
        attempts: attempts
          .filter(({ startedAt, outcome }) => startedAt >= since && outcome !== null)
          .map(({ outcome, durationMs }) => ({ outcome, durationMs })),
      }
    })
  }

  noteListeners(input: Input<'noteListeners'>): Promise<void> {
    return this.verb('noteListeners', input, ({ endpointIds, now }) => {
      for (const endpoint of endpointIds.map((id) => this.endpoints.get(id))) {
        if (endpoint?.deletedAt !== null || endpoint.listenedAt === null) continue
        endpoint.listenedAt = Math.max(endpoint.listenedAt, now)
      }
    })
  }

  dropRelays(input: Input<'dropRelays'>): Output<'dropRelays'> {
    return this.verb('dropRelays', input, ({ before, now, limit }) => {
      const alone = this.living().filter(({ listenedAt }) => listenedAt !== null && listenedAt < before)
      const dropped = alone.toSorted((a, b) => (a.listenedAt ?? 0) - (b.listenedAt ?? 0)).slice(0, limit)
      for (const endpoint of dropped) {
        const { id: target, mode, tenantId } = endpoint.row
        endpoint.deletedAt = now
        endpoint.row.disabledReason = 'listener_gone'
        this.putOnRecord({
          ...{ mode, tenantId, at: now, actor: 'system', action: 'endpoint.deleted', target },
          ...{ detail: { reason: 'listener_gone' }, requestId: null },
        })
      }
      const configVersion = dropped.length === 0 ? this.configVersion : this.raiseConfigVersion()
      return { endpointIds: dropped.map(({ row }) => row.id), configVersion }
    })
  }

  /** Makes one change; `false`: it does not fit. */
  protected applyChange(endpoint: EndpointState, change: EndpointChange, now: number): boolean {
    const { row } = endpoint
    switch (change.kind) {
      case 'patch':
        if (change.patch.dataClasses !== undefined && this.exceedsTenant({ ...row, ...change.patch })) return false
        if (change.patch.dataClasses !== undefined) this.changeGrants(row, change.patch.dataClasses, now)
        Object.assign(row, change.patch)
        this.releaseHeldLanes(row.id, now)
        return true
      case 'status':
        row.status = change.status
        row.disabledReason = change.reason
        row.disabledAt = change.status === 'disabled' ? now : null
        if (change.status === 'enabled') row.failingSince = null
        if (change.status === 'disabled') {
          const { failingSince } = row
          this.note(row, { kind: 'disabled', at: now, reason: change.reason, failingSince, delivery: null })
        }
        return true
      case 'delete':
        endpoint.deletedAt = now
        return true
      case 'add_secret':
        if (!row.secrets.some(({ id }) => id === change.secret.id)) row.secrets = this.rotate(row.secrets, change, now)
        return true
      case 'remove_secret':
        return this.removeSecret(row, change.secretId, now)
    }
  }

  /** Dead letters that hold their lanes no longer. */
  protected releaseHeldLanes(endpointId: string, now: number): void {
    const dead = [...this.deliveries.values()].filter((delivery) => {
      return delivery.endpointId === endpointId && delivery.lane !== null && delivery.status === 'dead_lettered'
    })
    for (const delivery of dead) {
      delivery.updatedAt = now
      this.index(delivery)
    }
  }

  /** Fewer grants end what waits and would send too much; before there are more, what is left of earlier ends too. */
  protected changeGrants(row: EndpointRow, dataClasses: DataClass[], now: number): void {
    if ((maskOf(dataClasses) & ~(maskOf(row.dataClasses) | ALWAYS_GRANTED)) !== 0) this.cancelBeyond(row.id, now)
    row.dataClasses = dataClasses
    this.cancelBeyond(row.id, now, CANCEL_AT_ONCE)
  }

  /** Ends what waits and would send more than is granted now. */
  protected cancelBeyond(endpointId: string, now: number, limit = Infinity): void {
    const beyond = this.openOf(endpointId).filter((delivery) => this.isWaiting(delivery) && !this.isGranted(delivery))
    for (const delivery of beyond.slice(0, limit)) this.end(delivery, 'cancelled', 'policy_changed', now)
  }

  protected exceedsTenant({ tenantId, mode, dataClasses }: EndpointRow): boolean {
    const max = this.tenants.get(`${mode} ${tenantId}`)?.maxDataClasses ?? null
    return max !== null && (maskOf(dataClasses) & ~(maskOf(max) | ALWAYS_GRANTED)) !== 0
  }

  /** The secrets after a new one came in, newest first. */
  protected rotate(secrets: SecretRow[], { secret, retireAt, max }: Change<'add_secret'>, now: number): SecretRow[] {
    const retiring = secrets.map((old) =>
      old.kind === secret.kind ? { ...old, expiresAt: Math.min(old.expiresAt ?? retireAt, retireAt) } : old,
    )
    const active = retiring.filter((old) => isActive(old, now))
    return this.dropOldest([secret, ...active], secret.kind, max)
  }

  /** Of the secrets of one kind the newest `max` stay: a receiver may have been given any of those. */
  protected dropOldest(newestFirst: SecretRow[], kind: SecretRow['kind'], max: number): SecretRow[] {
    const kept = newestFirst.filter((secret) => secret.kind === kind).slice(0, max)
    return newestFirst.filter((secret) => secret.kind !== kind || kept.includes(secret))
  }

  protected removeSecret(row: EndpointRow, secretId: string, now: number): boolean {
    const secret = row.secrets.find(({ id }) => id === secretId)
    if (secret === undefined) return false
    const others = row.secrets.filter(({ id }) => id !== secretId)
    if (!others.some((other) => other.kind === secret.kind && isActive(other, now))) return false
    row.secrets = others
    return true
  }

  protected living(): EndpointState[] {
    return [...this.endpoints.values()].filter(({ deletedAt }) => deletedAt === null)
  }

  private visible(scope: ReadScope, endpointId: string): EndpointState | null {
    const endpoint = this.endpoints.get(endpointId)
    if (endpoint === undefined || endpoint.deletedAt !== null) return null
    return this.sees(scope, endpoint.row) ? endpoint : null
  }
}

function isActive({ expiresAt }: SecretRow, now: number): boolean {
  return expiresAt === null || expiresAt > now
}
