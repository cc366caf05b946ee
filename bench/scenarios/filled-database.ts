import { BATCH, BATCH_PUBLISHERS, openGround, Publisher, PUBLISHERS, type Ground } from '../delivery-ground.ts'
import type { Delivered } from '../delivered.ts'
import { fillInstallation, type Filling } from '../fill/fill-installation.ts'
import type { Bench, Figure, Scenario, Session } from '../scenario.ts'
import type { Installation } from '../server/installation.ts'
import type { Look, Server } from '../server/server.ts'

const EMBEDDED_ONLY = 'it loads rows straight into the file of the embedded database'
const ENDPOINTS = 100

interface Pair {
  single: Delivered
  batch: Delivered
  idle: Look
  after: Look
  readyMs: number
}

/** The same load on an empty database, and on one that is not. */
function filledScenario(
  { name, summary, takes, mostRounds }: Pick<Scenario, 'name' | 'summary' | 'takes'> & { mostRounds: number },
  fillingOf: (bench: Bench) => Filling,
  ownFigures: (empty: Pair, filled: Pair, filling: Filling) => Figure[],
): Scenario {
  async function open(bench: Bench): Promise<Session> {
    const ground = await openGround(bench, { endpoints: ENDPOINTS, types: ENDPOINTS })
    const filled = await ground.installation.copy()
    const filling = fillingOf(bench)
    await fillInstallation(filled, ground.receiver, bench, filling)
    return {
      async round() {
        const without = await measurePair(ground, ground.installation, bench, false)
        const beside = await measurePair(ground, filled, bench, true)
        return [...ratioFigures(without, beside), ...ownFigures(without, beside, filling)]
      },
      async close() {
        await filled.remove()
        await ground.close()
      },
    }
  }
  return { ...{ name, summary, takes, mostRounds, open }, long: true, embeddedOnly: EMBEDDED_ONLY }
}

async function measurePair(ground: Ground, installation: Installation, bench: Bench, inPlace: boolean): Promise<Pair> {
  const run = async (server: Server): Promise<Pair> => {
    const publisher = new Publisher({ ...ground, installation }, server)
    // What was due when it was filled is sent first.
    await new Promise((resolve) => setTimeout(resolve, 1000))
    const idle = await server.look(true)
    await publisher.warmUp(1)
    const { seconds } = bench
    const single = await publisher.measure({ connections: PUBLISHERS, seconds })
    const batch = await publisher.measure({ connections: BATCH_PUBLISHERS, seconds, batch: BATCH })
    return { single, batch, idle, after: await server.look(true), readyMs: server.readyMs }
  }
  return await installation.use(run, { inPlace })
}

function ratioFigures(empty: Pair, filled: Pair): Figure[] {
  const figures: Figure[] = []
  for (const [label, part] of [
    ['one a request', 'single'],
    [`${BATCH} a request`, 'batch'],
  ] as const) {
    const [without, beside] = [empty[part], filled[part]]
    const ratio = beside.perSecond / without.perSecond
    figures.push(
      { name: `${label}: events, empty`, unit: '/s', value: without.perSecond },
      { name: `${label}: events, filled`, unit: '/s', value: beside.perSecond },
      { name: `${label}: rate filled ÷ empty`, unit: '', value: ratio, must: 0.8, goal: 0.95, better: 'higher' },
      { name: `${label}: server CPU per event, empty`, unit: 'µs', value: without.cpuPerEvent },
      { name: `${label}: server CPU per event, filled`, unit: 'µs', value: beside.cpuPerEvent },
      ...Object.entries(beside.threads).map(([thread, micros]) => ({
        name: `${label}: thread ${thread}, filled`,
        unit: 'µs',
        value: micros,
      })),
      { name: `${label}: p99 accepted to delivered, empty`, unit: 'ms', value: without.delivered.p99 },
      { name: `${label}: p99 accepted to delivered, filled`, unit: 'ms', value: beside.delivered.p99 },
    )
  }
  return [
    ...figures,
    { name: 'start to ready, empty', unit: 'ms', value: empty.readyMs },
    { name: 'start to ready, filled', unit: 'ms', value: filled.readyMs },
    { name: 'resident, empty', unit: 'MB', value: empty.after.rss / 2 ** 20 },
    { name: 'resident, filled', unit: 'MB', value: filled.after.rss / 2 ** 20 },
  ]
}

export const BACKLOG: Scenario = filledScenario(
  {
    name: 'backlog',
    summary: 'beside 1,000,000 deliveries that wait for retries, of 100 endpoints',
    takes: 200,
    mostRounds: 5,
  },
  ({ sizes }) => ({ count: sizes.backlog, state: 'later' }),
  (empty, filled, { count }) => {
    const heap = (look: Look) => look.heapUsed + look.external
    return [
      {
        ...{ name: 'memory per pending delivery', unit: 'B', value: (filled.idle.rss - empty.idle.rss) / count },
        ...{ must: 100, goal: 40, better: 'lower' },
      },
      {
        name: 'heap of the main thread per pending delivery',
        unit: 'B',
        value: (heap(filled.idle) - heap(empty.idle)) / count,
      },
    ]
  },
)

export const HISTORY: Scenario = filledScenario(
  {
    name: 'history',
    summary: 'beside 10,000,000 attempts of the past, each with an event of its own',
    takes: 1200,
    mostRounds: 5,
  },
  ({ sizes }) => ({ count: sizes.history, state: 'delivered' }),
  () => [],
)
