import type { BodySource, RenderedBody } from '../core/event-bodies.ts'
import type { AcceptItem } from '../store/accept.ts'
import type { Match, MatchedEndpoint } from './matcher.ts'

/** What an event becomes for the endpoints it matches: a delivery each, and each distinct body once. */
export function targetsOf(
  { endpoints, configVersion }: Match,
  source: BodySource,
  newDeliveryId: () => string,
): Pick<AcceptItem, 'targets' | 'bodies' | 'configVersion'> {
  const distinct = new DistinctBodies(source)
  const targets = endpoints.map((endpoint) => ({
    endpointId: endpoint.endpointId,
    deliveryId: newDeliveryId(),
    // Deliveries of ordered endpoints wait for their run's earlier ones and are never granted here (details 17).
    grant: !endpoint.ordered,
    body: distinct.indexFor(endpoint),
  }))
  return { targets, bodies: distinct.bodies, configVersion }
}

/** The bodies of one event that are not the uncut one, each once. */
class DistinctBodies {
  readonly bodies: RenderedBody[] = []
  readonly #source: BodySource

  constructor(source: BodySource) {
    this.#source = source
  }

  indexFor({ want }: MatchedEndpoint): number {
    const body = this.#source.bodyFor(want)
    if (body === null) return -1
    const index = this.bodies.indexOf(body)
    return index === -1 ? this.bodies.push(body) - 1 : index
  }
}
