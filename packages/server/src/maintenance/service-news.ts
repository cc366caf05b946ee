import { publishOwn, type OwnPublishing } from '../accept/publish-own.ts'
import { warnedSince, warningDue } from '../core/endpoint-health.ts'
import type { FailingEndpoint, Notice } from '../store/notices.ts'
import type { Store } from '../store/store.ts'
import { failingEvent, noticeEvent } from './service-events.ts'

export interface ServiceNewsOptions extends OwnPublishing {
  store: Store
}

/** Notices, or endpoints, looked at in one step. */
const BATCH = 100
/** Warnings that are remembered, so that the store is not asked again whether they were given. */
const MAX_REMEMBERED = 10_000

/**
 * Says what the service has to say of endpoints and dead letters, where an endpoint names such events. Each is accepted like any other
 * event, and in the same transaction taken off the list; its id follows from its cause, so that a crash or another node makes no second.
 */
export class ServiceNews {
  readonly #options: ServiceNewsOptions
  /** By endpoint, time and percent: given already, here or elsewhere. */
  readonly #warned = new Set<string>()

  constructor(options: ServiceNewsOptions) {
    this.#options = options
  }

  /**
   * Dead letters, and endpoints that were disabled or have recovered.
   * @returns how many were said
   * @throws what went wrong with one of them, when all of its batch are done
   */
  async tell(): Promise<{ told: number }> {
    let told = 0
    for (;;) {
      const found = await this.#options.store.findNotices({ limit: BATCH })
      const done = await all(found.map((notice) => this.#tellOne(notice)))
      told += done
      if (found.length < BATCH || done === 0) return { told }
    }
  }

  /** Endpoints that will be disabled unless something is delivered to them. */
  async warn(): Promise<{ warned: number }> {
    const { store, clock } = this.#options
    let warned = 0
    for (let after = 0; ;) {
      const found = await store.findFailingEndpoints({ since: warnedSince(clock.now()), after, limit: BATCH })
      warned += await all(found.map((endpoint) => this.#warnOf(endpoint)))
      const last = found.at(-1)
      if (last === undefined || found.length < BATCH) return { warned }
      after = last.position
    }
  }

  async #tellOne(notice: Notice): Promise<boolean> {
    const taken = await publishOwn(this.#options, notice.mode, noticeEvent(notice), { tells: notice.position })
    if (taken.kind === 'invalid') throw new Error(`a service event was refused: ${taken.refusal.detail}`)
    return true
  }

  async #warnOf(endpoint: FailingEndpoint): Promise<boolean> {
    const percent = warningDue(endpoint.failingSince, this.#options.clock.now())
    const key = `${endpoint.endpointId} ${endpoint.failingSince} ${percent}`
    if (percent === null || this.#warned.has(key)) return false
    const taken = await publishOwn(this.#options, endpoint.mode, failingEvent(endpoint, percent), {})
    if (taken.kind === 'invalid') throw new Error(`a service event was refused: ${taken.refusal.detail}`)
    if (this.#warned.size >= MAX_REMEMBERED) this.#warned.clear()
    this.#warned.add(key)
    return taken.kind === 'accepted'
  }
}

/** How many came true. @throws what went wrong with one of them, when all are done */
async function all(works: readonly Promise<boolean>[]): Promise<number> {
  const results = await Promise.allSettled(works)
  const failed = results.find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
  return results.filter((result) => result.status === 'fulfilled' && result.value).length
}
