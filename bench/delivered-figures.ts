import { cpus } from 'node:os'
import type { Delivered } from './delivered.ts'
import { floorOf, type Limits } from './limits/index.ts'
import type { Figure } from './scenario.ts'

/** CPU microseconds per event that generator and receiver are taken to need of the same machine, by the size of a request. */
const OTHERS = { single: 21, batch: 11 }

interface Kind {
  /** Events in a request. */
  batch: number
  /** Endpoints that each event goes to. */
  deliveries: number
  /** 1 KB events to many endpoints: what performance has targets for. */
  hasTargets: boolean
}

/** Everything that is told of a saturated server, beside the limits of the same round. */
export function saturatedFigures(label: string, delivered: Delivered, limits: Limits, kind: Kind): Figure[] {
  const { batch, deliveries, hasTargets } = kind
  const floor = floorOf(limits, batch, deliveries)
  const most = (cpus().length * 1e6) / (floor + (batch === 1 ? OTHERS.single : OTHERS.batch) * deliveries)
  const targets = batch === 1 ? { cpu: [2.4, 1.6], rate: [0.4, 0.65] } : { cpu: [3, 1.8], rate: [0.35, 0.6] }
  const demand = ([must, goal]: number[], better: 'lower' | 'higher') =>
    hasTargets ? { must: must as number, goal: goal as number, better } : {}
  const named = (name: string, unit: string, value: number): Figure => ({ name: `${label}: ${name}`, unit, value })
  return [
    named('events', '/s', delivered.perSecond),
    ...(deliveries === 1 ? [] : [named('deliveries', '/s', delivered.deliveriesPerSecond)]),
    {
      ...named('delivered/s ÷ what the machine can', '', delivered.perSecond / most),
      ...demand(targets.rate, 'higher'),
    },
    named('server CPU per event', 'µs', delivered.cpuPerEvent),
    { ...named('server CPU per event ÷ floor', '', delivered.cpuPerEvent / floor), ...demand(targets.cpu, 'lower') },
    ...threadFigures(label, delivered),
    named('main loop busy', '', delivered.loop),
    named('p50 due to 202', 'ms', delivered.answered.p50),
    named('p99 due to 202', 'ms', delivered.answered.p99),
    ...latencyFigures(label, delivered),
    ...memoryFigures(label, delivered),
    named('connections made per delivery', '', delivered.connections),
    named('generator', 'cores', delivered.generatorCores),
    named('receiver', 'cores', delivered.receiverCores),
  ]
}

export function latencyFigures(label: string, { delivered, whole }: Delivered): Figure[] {
  return [
    { name: `${label}: p50 accepted to delivered`, unit: 'ms', value: delivered.p50 },
    { name: `${label}: p99 accepted to delivered`, unit: 'ms', value: delivered.p99 },
    { name: `${label}: p50 due to delivered`, unit: 'ms', value: whole.p50 },
    { name: `${label}: p99 due to delivered`, unit: 'ms', value: whole.p99 },
  ]
}

function memoryFigures(
  label: string,
  { megabytes, megabytesBefore, megabytesPeak, heapMegabytes }: Delivered,
): Figure[] {
  return [
    { name: `${label}: resident before`, unit: 'MB', value: megabytesBefore },
    { name: `${label}: resident after`, unit: 'MB', value: megabytes },
    { name: `${label}: resident at most`, unit: 'MB', value: megabytesPeak },
    { name: `${label}: heap of the main thread`, unit: 'MB', value: heapMegabytes },
  ]
}

function threadFigures(label: string, { threads }: Delivered): Figure[] {
  return Object.entries(threads).map(([thread, micros]) => ({
    name: `${label}: thread ${thread}`,
    unit: 'µs',
    value: micros,
  }))
}

/** At a quarter of what was reached: the load that latencies are promised for. */
export function quarterFigures(label: string, quarter: Delivered, limits: Limits): Figure[] {
  const ratio = quarter.delivered.p50 / limits.commitMs
  return [
    { name: `${label}: events`, unit: '/s', value: quarter.perSecond },
    { name: `${label}: server CPU per event`, unit: 'µs', value: quarter.cpuPerEvent },
    ...threadFigures(label, quarter),
    { name: `${label}: connections made per delivery`, unit: '', value: quarter.connections },
    ...latencyFigures(label, quarter),
    {
      ...{ name: `${label}: p50 accepted to delivered ÷ one commit`, unit: '' },
      value: ratio,
      must: 15,
      goal: 6,
      better: 'lower',
    },
    {
      ...{ name: `${label}: p99 accepted to delivered, held`, unit: 'ms' },
      value: quarter.delivered.p99,
      must: 25,
      goal: 10,
      better: 'lower',
    },
  ]
}
