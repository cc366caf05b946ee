import { cpus } from 'node:os'
import { Delivery, type Delivered } from './delivered.ts'
import { floorOf, measureLimits, type Limits } from './limits/index.ts'
import { startReceiver } from './limits/receiver.ts'
import { median } from './median.ts'

const ENDPOINTS = 100
const PUBLISHERS = 64
const BATCH = 100
const BATCH_PUBLISHERS = 8
/** CPU microseconds per event that load generator and receiver take of the same machine, by the size of a request. */
const OTHERS = { single: 21, batch: 11 }

/** One round: the limits, and the product beside them. */
export interface DeliveryRound {
  limits: Limits
  single: Delivered
  batch: Delivered
  /** At a quarter of what was reached with one event a request. */
  quarter: Delivered
}

export async function measureDelivery(folder: string, seconds: number): Promise<DeliveryRound> {
  const receiver = await startReceiver(ENDPOINTS)
  const limits = await measureLimits(folder, receiver, seconds)
  const delivery = await Delivery.start(folder, receiver)
  try {
    await delivery.measure({ connections: PUBLISHERS, seconds: 1 })
    const single = await delivery.measure({ connections: PUBLISHERS, seconds })
    const batch = await delivery.measure({ connections: BATCH_PUBLISHERS, seconds, batch: BATCH })
    const quarter = await delivery.measure({ connections: PUBLISHERS, seconds, perSecond: single.perSecond / 4 })
    return { limits, single, batch, quarter }
  } finally {
    await delivery.stop()
    receiver.close()
  }
}

/** A figure with what performance demands of it: `must`, in the direction of `better`. */
export interface Figure {
  name: string
  value: number
  must: number
  better: 'lower' | 'higher'
}

/** The targets, each as the median of what the rounds came to. */
export function figuresOf(rounds: readonly DeliveryRound[]): Figure[] {
  const of = (value: (round: DeliveryRound) => number) => median(rounds.map(value))
  return [
    {
      ...{ name: 'CPU per event ÷ floor, one a request', must: 2.4, better: 'lower' },
      value: of(({ limits, single }) => single.cpuPerEvent / floorOf(limits, 1)),
    },
    {
      ...{ name: `CPU per event ÷ floor, ${BATCH} a request`, must: 3, better: 'lower' },
      value: of(({ limits, batch }) => batch.cpuPerEvent / floorOf(limits, BATCH)),
    },
    {
      ...{ name: 'delivered/s ÷ what the machine can, one a request', must: 0.4, better: 'higher' },
      value: of(({ limits, single }) => single.perSecond / mostPerSecond(floorOf(limits, 1) + OTHERS.single)),
    },
    {
      ...{ name: `delivered/s ÷ what the machine can, ${BATCH} a request`, must: 0.35, better: 'higher' },
      value: of(({ limits, batch }) => batch.perSecond / mostPerSecond(floorOf(limits, BATCH) + OTHERS.batch)),
    },
    {
      ...{ name: 'p50 accepted to delivered ÷ one commit, a quarter of the load', must: 15, better: 'lower' },
      value: of(({ limits, quarter }) => quarter.p50 / limits.commitMs),
    },
    {
      ...{ name: 'p99 accepted to delivered, ms, a quarter of the load', must: 25, better: 'lower' },
      value: of(({ quarter }) => quarter.p99),
    },
  ]
}

function mostPerSecond(micros: number): number {
  return (cpus().length * 1_000_000) / micros
}
