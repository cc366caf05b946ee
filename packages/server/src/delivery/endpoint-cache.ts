import type { OpenEndpoint } from '../secrets/open-endpoint.ts'
import type { EndpointRow } from '../store/rows.ts'
import type { Store } from '../store/store.ts'

/** Opens what is sealed of endpoints, in the same order. @throws StoreUnavailable */
export type OpenEndpoints = (endpoints: readonly EndpointRow[]) => Promise<OpenEndpoint[]>

interface Load {
  ids: Set<string>
  done: Promise<void>
}

/**
 * Endpoints with their secrets, as delivery needs them. What was read under an older configuration than the newest one
 * heard of is never used: a revoked secret or a paused endpoint takes effect on the next attempt.
 */
export class EndpointCache {
  readonly #store: Store
  readonly #open: OpenEndpoints
  readonly #entries = new Map<string, OpenEndpoint | null>()
  #known = 0
  #next: Load | null = null

  constructor(store: Store, open: OpenEndpoints) {
    this.#store = store
    this.#open = open
  }

  /** The configuration has at least this version. */
  know(configVersion: number): void {
    if (configVersion <= this.#known) return
    this.#known = configVersion
    this.#entries.clear()
  }

  /** `undefined`: not in memory; `null`: there is none. */
  peek(endpointId: string): OpenEndpoint | null | undefined {
    return this.#entries.get(endpointId)
  }

  /** It is read again when it is asked for next. */
  forget(endpointId: string): void {
    this.#entries.delete(endpointId)
  }

  async get(endpointId: string): Promise<OpenEndpoint | null> {
    for (;;) {
      const endpoint = this.#entries.get(endpointId)
      if (endpoint !== undefined) return endpoint
      await this.load([endpointId])
    }
  }

  /** Reads what is missing; calls made in the same turn share one read. */
  async load(endpointIds: Iterable<string>): Promise<void> {
    let missing = [...endpointIds].filter((id) => !this.#entries.has(id))
    while (missing.length > 0) {
      this.#next ??= this.#begin()
      for (const id of missing) this.#next.ids.add(id)
      await this.#next.done
      // The configuration may have changed while it was read.
      missing = missing.filter((id) => !this.#entries.has(id))
    }
  }

  #begin(): Load {
    const ids = new Set<string>()
    const read = async () => {
      await Promise.resolve()
      this.#next = null
      const { endpoints, configVersion } = await this.#store.loadEndpoints({ endpointIds: [...ids] })
      const opened = await this.#open(endpoints)
      this.know(configVersion)
      if (configVersion < this.#known) return
      for (const id of ids) this.#entries.set(id, null)
      for (const endpoint of opened) this.#entries.set(endpoint.id, endpoint)
    }
    return { ids, done: read() }
  }
}
