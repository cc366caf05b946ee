import { BATCH, BATCH_PUBLISHERS, openGround, Publisher, PUBLISHERS } from '../delivery-ground.ts'
import { quarterFigures, saturatedFigures } from '../delivered-figures.ts'
import type { Bench, Scenario, Session } from '../scenario.ts'
import type { Subscriptions } from '../server/installation.ts'

interface Wanted {
  name: string
  summary: string
  takes: number
  subscriptions: Subscriptions
  /** What is measured. @default all of it */
  parts?: readonly ('single' | 'batch' | 'quarter')[]
  hasTargets?: boolean
}

/** Events of 1 KB to so many endpoints: saturated with one a request and with many, and at a quarter of the former. */
function endpointsScenario({ name, summary, takes, subscriptions, parts, hasTargets = false }: Wanted): Scenario {
  const has = (part: 'single' | 'batch' | 'quarter') => parts === undefined || parts.includes(part)
  async function open(bench: Bench): Promise<Session> {
    const ground = await openGround(bench, subscriptions)
    const { seconds } = bench
    const { deliveries } = ground
    return {
      close: ground.close,
      round: (limits) =>
        ground.installation.use(async (server) => {
          const publisher = new Publisher(ground, server)
          await publisher.warmUp(1)
          const single = await publisher.measure({ connections: PUBLISHERS, seconds })
          const figures = saturatedFigures('one a request', single, limits, { batch: 1, deliveries, hasTargets })
          if (has('batch')) {
            const many = await publisher.measure({ connections: BATCH_PUBLISHERS, seconds, batch: BATCH })
            const kind = { batch: BATCH, deliveries, hasTargets }
            figures.push(...saturatedFigures(`${BATCH} a request`, many, limits, kind))
          }
          if (has('quarter')) {
            const perSecond = single.perSecond / 4
            const quarter = await publisher.measure({ connections: PUBLISHERS, seconds, perSecond })
            figures.push(...quarterFigures('a quarter of that', quarter, limits))
          }
          return figures
        }),
    }
  }
  return { name, summary, takes, open }
}

export const ENDPOINT_SCENARIOS: readonly Scenario[] = [
  endpointsScenario({
    name: 'one-endpoint',
    summary: 'everything goes to one endpoint',
    takes: 85,
    subscriptions: { endpoints: 1, types: 1 },
  }),
  endpointsScenario({
    name: 'hundred-endpoints',
    summary: 'each event goes to one of 100 endpoints',
    takes: 85,
    subscriptions: { endpoints: 100, types: 100 },
    hasTargets: true,
  }),
  endpointsScenario({
    name: 'thousand-endpoints',
    summary: 'each event goes to one of 1,000 endpoints',
    takes: 130,
    subscriptions: { endpoints: 1000, types: 1000 },
  }),
  endpointsScenario({
    name: 'fan-out',
    summary: 'each event goes to 10 of 100 endpoints',
    takes: 85,
    subscriptions: { endpoints: 100, types: 10 },
    parts: ['single', 'quarter'],
  }),
]
