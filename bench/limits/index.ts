import { measureCommits } from './commits.ts'
import { measureHttpIn } from './http-in.ts'
import { measureHttpOut } from './http-out.ts'
import type { Receiver } from './receiver.ts'

/** What this machine can do at best, measured with the least that does anything at all. CPU microseconds per event of 1 KB. */
export interface Limits {
  /** B1: take it over HTTP, one a request. */
  httpIn: number
  /** B2: keep it and its outcome, 100 in a commit. */
  store: number
  /** B3: sign it and send it. */
  httpOut: number
  /** B4: median milliseconds of a commit of one row. */
  commitMs: number
}

export async function measureLimits(folder: string, receiver: Receiver, seconds: number): Promise<Limits> {
  const httpIn = await measureHttpIn(64, seconds)
  const { groupMicros, singleMs } = await measureCommits(folder, seconds)
  return { httpIn, store: groupMicros, httpOut: await measureHttpOut(receiver, seconds), commitMs: singleMs }
}

/** F: the floor of one event, published `batch` at a time. */
export function floorOf({ httpIn, store, httpOut }: Limits, batch: number): number {
  return httpIn / batch + store + httpOut
}
