import type { RelayPort } from '../api/context.ts'
import type { Engine } from '../delivery/engine.ts'
import type { Relay } from '../delivery/relay.ts'
import { createService, type Service } from '../delivery/service.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from 'pino'
import type { Store } from '../store/store.ts'

/** An endpoint nobody has listened for this long goes (details 19). */
export const ALONE_MS = 60_000
/** How often listeners are noted, and endpoints looked for that nobody listens to. */
const TEND_MS = 5000
/** Endpoints that go in one transaction. */
const MAX_DROPPED = 100

export interface RelayGround {
  store: Store
  clock: Clock
  log: Logger
  relay: Relay
  engine: Pick<Engine, 'wake'>
  /** Without it nothing is delivered here. */
  isWorker: boolean
}

/** Lets the API listen: what waits for an endpoint is looked at as soon as somebody does. */
export function createRelayPort({ store, clock, log, relay, engine, isWorker }: RelayGround): RelayPort {
  const note = (endpointId: string) => {
    const noted = store.noteListeners({ endpointIds: [endpointId], now: clock.now() })
    noted.catch((error: unknown) => log.error({ err: error }, 'relay.trouble'))
  }
  return {
    attach(endpointId, listener) {
      if (!isWorker) return null
      const detach = relay.attach(endpointId, listener)
      note(endpointId)
      engine.wake({ endpointIds: [endpointId] })
      return () => {
        detach()
        if (!relay.isOpen(endpointId)) note(endpointId)
      }
    },
    settle: (endpointId, attemptId, outcome) => relay.settle(endpointId, attemptId, outcome),
  }
}

/**
 * Notes who listens here, so that other nodes know, and the next start after a crash; sends listeners of endpoints that are gone away; and
 * removes endpoints nobody listens to.
 */
export function createRelayTender({ store, clock, log, relay, engine }: RelayGround): Service {
  return createService({
    clock,
    intervalMs: TEND_MS,
    async runOnce() {
      const now = clock.now()
      const endpointIds = relay.endpoints()
      if (endpointIds.length > 0) {
        const { endpoints } = await store.loadEndpoints({ endpointIds })
        const left = new Set(endpoints.map(({ id }) => id))
        for (const id of endpointIds) if (!left.has(id)) relay.dismiss(id, 'endpoint_gone')
        await store.noteListeners({ endpointIds: [...left], now })
      }
      const dropped = await store.dropRelays({ before: now - ALONE_MS, now, limit: MAX_DROPPED })
      if (dropped.endpointIds.length === 0) return
      engine.wake({ configVersion: dropped.configVersion })
      log.info({ endpointIds: dropped.endpointIds }, 'relay.dropped')
    },
    onError: (error) => log.error({ err: error }, 'relay.trouble'),
  })
}
