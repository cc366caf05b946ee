import { openGround, Publisher, PUBLISHERS, type Ground } from '../delivery-ground.ts'
import { fillInstallation } from '../fill/fill-installation.ts'
import { monotonicMs } from '../machine/monotonic.ts'
import type { Figure, Scenario } from '../scenario.ts'
import type { Server } from '../server/server.ts'

const ENDPOINTS = 100
/** Ten minutes of 100 events a second. */
const MISSED = 60_000
const PUBLISHED_PER_SECOND = 500
const DEADLINE_MS = 120_000

/** An endpoint comes back after ten minutes: its backlog, and the others meanwhile. */
export const RECOVERY: Scenario = {
  name: 'recovery',
  summary: 'one of 100 endpoints comes back with 60,000 deliveries due; 500 events a second for the others',
  takes: 180,
  long: true,
  embeddedOnly: 'it loads rows straight into the file of the embedded database',
  async open(bench) {
    const ground = await openGround(bench, { endpoints: ENDPOINTS, types: ENDPOINTS })
    const { installation, receiver } = ground
    const count = Math.min(MISSED, bench.sizes.backlog)
    await fillInstallation(installation, receiver, bench, { count, state: 'due', heldByFirst: true })
    return {
      close: ground.close,
      round: () => installation.use((server) => comeBack(ground, server, count, bench.quick ? 2 : 5)),
    }
  },
}

async function comeBack(ground: Ground, server: Server, count: number, seconds: number): Promise<Figure[]> {
  const { installation, receiver } = ground
  const publisher = new Publisher(ground, server)
  const types = installation.types.slice(1)
  const options = { ...{ connections: PUBLISHERS, types, seconds }, perSecond: PUBLISHED_PER_SECOND }
  await publisher.measure({ ...options, seconds: 1 })
  const before = await publisher.measure(options)
  const arrived = (await receiver.count()).answeredBy[0] as number
  const resumed = monotonicMs()
  await server.post(`/v1/endpoints/${installation.endpointIds[0]}/resume`, {})
  const drained = untilDrained(ground, arrived + count)
  const meanwhile = await publisher.measure(options)
  const drainMs = (await drained) - resumed
  const ratio = meanwhile.delivered.p99 / before.delivered.p99
  return [
    { name: 'time to drain', unit: 's', value: drainMs / 1000 },
    { name: 'deliveries to it while it drains', unit: '/s', value: (count * 1000) / drainMs },
    { name: 'p99 of the others before', unit: 'ms', value: before.delivered.p99 },
    { name: 'p99 of the others meanwhile', unit: 'ms', value: meanwhile.delivered.p99 },
    { name: 'p99 of the others meanwhile ÷ before', unit: '', value: ratio, must: 10, goal: 4, better: 'lower' },
    { name: 'p50 of the others meanwhile', unit: 'ms', value: meanwhile.delivered.p50 },
    { name: 'resident afterwards', unit: 'MB', value: meanwhile.megabytes },
  ]
}

/** @returns when the last of them was seen to have arrived */
async function untilDrained({ receiver }: Ground, count: number): Promise<number> {
  const deadline = monotonicMs() + DEADLINE_MS
  for (;;) {
    const arrived = (await receiver.count()).answeredBy[0] as number
    if (arrived >= count) return monotonicMs()
    if (monotonicMs() > deadline)
      throw new Error(`${count - arrived} deliveries to the endpoint that came back did not arrive`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
