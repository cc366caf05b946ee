import type { FailingEndpoint, Notice } from '../notices.ts'
import type { Store } from '../store.ts'
import { MemoryPulls } from './pulls.ts'

type Input<Verb extends keyof Store> = Parameters<Store[Verb]>[0]

/** What is yet to be said with service events. */
export class MemoryNotices extends MemoryPulls {
  findNotices(input: Input<'findNotices'>): Promise<Notice[]> {
    return this.verb('findNotices', input, ({ limit }) => [...this.notices.values()].slice(0, limit))
  }

  findFailingEndpoints(input: Input<'findFailingEndpoints'>): Promise<FailingEndpoint[]> {
    return this.verb('findFailingEndpoints', input, ({ since, after, limit }) => {
      const found = this.living().flatMap(({ row }) => {
        const { position, id: endpointId, mode, tenantId, failingSince, status } = row
        const isFailing = failingSince !== null && failingSince <= since && status === 'enabled' && this.isWatched(row)
        return isFailing && position > after ? [{ position, endpointId, mode, tenantId, failingSince }] : []
      })
      return found.toSorted((a, b) => a.position - b.position).slice(0, limit)
    })
  }
}
