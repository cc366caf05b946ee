import { openGround, Publisher, PUBLISHERS, type Ground } from '../delivery-ground.ts'
import type { Delivered } from '../delivered.ts'
import { load, type LoadResult } from '../load/load.ts'
import type { Bench, Figure, Scenario } from '../scenario.ts'
import type { Server } from '../server/server.ts'

const ENDPOINTS = 100
/** Diagnostics offered a second, many times what is taken. */
const OFFERED = 10_000
const CONNECTIONS = 16
/** In a request: as a batching exporter sends them, and as one that does not. */
const BATCHES = [100, 10] as const
/** The flood begins before events are measured, so that what it may send at once has been sent. */
const AHEAD_SECONDS = 2

interface Flooded {
  delivered: Delivered
  flood: LoadResult
}

/** What deliveries feel of diagnostics that come in many times faster than they are taken. */
export const DIAGNOSTIC_FLOOD: Scenario = {
  name: 'diagnostic-flood',
  summary: '10,000 diagnostics a second are offered beside a quarter of the events that saturate',
  takes: 240,
  async open(bench) {
    const ground = await openGround(bench, { endpoints: ENDPOINTS, types: ENDPOINTS })
    return {
      close: ground.close,
      round: () => ground.installation.use((server) => measureRound(ground, server, bench)),
    }
  },
}

async function measureRound(ground: Ground, server: Server, bench: Bench): Promise<Figure[]> {
  const publisher = new Publisher(ground, server)
  const { seconds } = bench
  await publisher.warmUp(1)
  const perSecond = (await publisher.measure({ connections: PUBLISHERS, seconds })).perSecond / 4
  const measure = () => publisher.measure({ connections: PUBLISHERS, seconds: seconds * 2, perSecond })
  const quiet = await measure()
  const floods: Flooded[] = []
  for (const batch of BATCHES) floods.push(await measureBeside(ground, server, bench, batch, measure))
  return [
    { name: 'events, a quarter of what saturates', unit: '/s', value: perSecond },
    { name: 'p99 accepted to delivered, no diagnostics', unit: 'ms', value: quiet.delivered.p99 },
    { name: 'p99 due to delivered, no diagnostics', unit: 'ms', value: quiet.whole.p99 },
    ...BATCHES.flatMap((batch, index) => figuresOf(batch, quiet, floods[index] as Flooded)),
  ]
}

async function measureBeside(
  { installation }: Ground,
  { url }: Server,
  { seconds }: Bench,
  batch: number,
  measure: () => Promise<Delivered>,
): Promise<Flooded> {
  const flooding = load({
    ...{ url, key: installation.key, connections: CONNECTIONS, batch, diagnostics: true, events: { types: [] } },
    ...{ seconds: AHEAD_SECONDS + seconds * 2, perSecond: OFFERED / batch },
  })
  await new Promise((resolve) => setTimeout(resolve, AHEAD_SECONDS * 1000))
  const delivered = await measure()
  return { delivered, flood: await flooding }
}

function figuresOf(batch: number, quiet: Delivered, { delivered, flood }: Flooded): Figure[] {
  const beside = `${batch} diagnostics a request`
  const requests = flood.due.length
  const limited = flood.refused[429] ?? 0
  const others = Object.values(flood.refused).reduce((sum, count) => sum + count, 0) - limited
  const ratio = (name: string, of: (one: Delivered) => number): Figure => {
    return {
      name: `${beside}: ${name}, with ÷ without`,
      unit: '',
      value: of(delivered) / of(quiet),
      must: 2,
      better: 'lower',
    }
  }
  return [
    { name: `${beside}: p99 accepted to delivered`, unit: 'ms', value: delivered.delivered.p99 },
    ratio('p99 accepted to delivered', (one) => one.delivered.p99),
    ratio('p99 due to delivered', (one) => one.whole.p99),
    { name: `${beside}: stored`, unit: '/s', value: flood.events / flood.seconds },
    { name: `${beside}: requests answered 429`, unit: '%', value: (100 * limited) / requests },
    { name: `${beside}: requests refused otherwise`, unit: '', value: others, must: 0, better: 'lower' },
    { name: `${beside}: CPU per event, with ÷ without`, unit: '', value: delivered.cpuPerEvent / quiet.cpuPerEvent },
  ]
}
