import type { Receiver } from '../receiver/receiver.ts'
import { measureCommits } from './commits.ts'
import { measureDirect, type Direct } from './direct.ts'
import { measureHttpIn } from './http-in.ts'
import { measureHttpOut } from './http-out.ts'

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
  /** B5: generator and receiver without a server. */
  direct: Direct
}

const CONNECTIONS = 64

export async function measureLimits(folder: string, receiver: Receiver, seconds: number): Promise<Limits> {
  const httpIn = await measureHttpIn(CONNECTIONS, seconds)
  const { groupMicros, singleMs } = await measureCommits(folder, seconds)
  const httpOut = await measureHttpOut(receiver, seconds)
  const direct = await measureDirect(receiver, CONNECTIONS, seconds)
  return { httpIn, store: groupMicros, httpOut, commitMs: singleMs, direct }
}

/** F: the floor of one event, published `batch` at a time and delivered to so many endpoints. */
export function floorOf({ httpIn, store, httpOut }: Limits, batch: number, endpoints = 1): number {
  return httpIn / batch + store + httpOut * endpoints
}
