import { openGround, Publisher, PUBLISHERS, type Ground } from '../delivery-ground.ts'
import type { Delivered } from '../delivered.ts'
import type { Bench, Figure, Scenario } from '../scenario.ts'
import type { Server } from '../server/server.ts'

const ENDPOINTS = 1000
/** One in so many hangs. */
const SHARE = 10
/** The first seconds, in which nobody knows who hangs. */
const COLD_SECONDS = 2
const STEADY_SECONDS = 10

interface Healthy {
  cold: Delivered
  steady: Delivered
}

/** What endpoints that answer feel of a tenth that do not (guarantee G18). Events keep coming for all of them. */
export const HANGING_ENDPOINTS: Scenario = {
  name: 'hanging-endpoints',
  summary: '100 of 1,000 endpoints take requests and never answer: the others beside them',
  takes: 300,
  long: true,
  async open(bench) {
    const ground = await openGround(bench, { endpoints: ENDPOINTS, types: ENDPOINTS })
    const hanging = Array.from({ length: ENDPOINTS / SHARE }, (_, index) => index * SHARE)
    const run = async (perSecond: number, hangs: boolean, withoutSlowLane: boolean) => {
      await ground.receiver.behave(hanging, hangs ? 'hang' : 'answer')
      return await ground.installation.use((server) => measureHealthy(ground, server, bench, perSecond), {
        withoutSlowLane,
      })
    }
    return {
      close: ground.close,
      async round() {
        await ground.receiver.behave(hanging, 'answer')
        const perSecond = (await ground.installation.use((server) => saturate(ground, server, bench))) / 4
        const without = await run(perSecond, false, false)
        const beside = await run(perSecond, true, false)
        const oneLane = await run(perSecond, true, true)
        return figuresOf(perSecond, without, beside, oneLane)
      },
    }
  },
}

async function saturate(ground: Ground, server: Server, { seconds }: Bench): Promise<number> {
  const publisher = new Publisher(ground, server)
  await publisher.warmUp(1)
  return (await publisher.measure({ connections: PUBLISHERS, seconds })).perSecond
}

/** From the first request to a server that has just started. */
async function measureHealthy(ground: Ground, server: Server, bench: Bench, perSecond: number): Promise<Healthy> {
  const publisher = new Publisher(ground, server)
  const options = { connections: PUBLISHERS, perSecond, arrives: (number: number) => number % SHARE !== 0 }
  const cold = await publisher.measure({ ...options, seconds: COLD_SECONDS })
  const steady = await publisher.measure({ ...options, seconds: bench.quick ? COLD_SECONDS : STEADY_SECONDS })
  return { cold, steady }
}

function figuresOf(perSecond: number, without: Healthy, beside: Healthy, oneLane: Healthy): Figure[] {
  const p99 = (name: string, { delivered }: Delivered): Figure => ({
    name: `p99 of those that answer, ${name}`,
    unit: 'ms',
    value: delivered.p99,
  })
  const ratio = beside.steady.delivered.p99 / without.steady.delivered.p99
  return [
    { name: 'events, a quarter of what saturates', unit: '/s', value: perSecond },
    p99('none hangs', without.steady),
    p99('a tenth hangs', beside.steady),
    { name: 'p99 with ÷ without', unit: '', value: ratio, must: 10, goal: 4, better: 'lower' },
    p99('none hangs, the first 2 s', without.cold),
    { ...p99('a tenth hangs, the first 2 s', beside.cold), must: 100, goal: 50, better: 'lower' },
    p99('a tenth hangs, no slow lane', oneLane.steady),
    p99('a tenth hangs, no slow lane, the first 2 s', oneLane.cold),
    { name: 'server CPU per event, none hangs', unit: 'µs', value: without.steady.cpuPerEvent },
    { name: 'server CPU per event, a tenth hangs', unit: 'µs', value: beside.steady.cpuPerEvent },
    { name: 'resident, none hangs', unit: 'MB', value: without.steady.megabytes },
    { name: 'resident, a tenth hangs', unit: 'MB', value: beside.steady.megabytes },
  ]
}
