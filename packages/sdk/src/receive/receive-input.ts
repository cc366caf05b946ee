import type { RawBody, RequestHeaders } from '../signing/index.ts'
import type { ReceiveAnswer } from './answer.ts'

export interface ReceiveInput {
  /** Anything but POST is answered with 405. @default "POST" */
  method?: string | undefined
  headers: RequestHeaders
  /** The raw body. */
  body: RawBody
  /** What the platform has for work that goes on after the answer. */
  waitUntil?: ((work: Promise<unknown>) => void) | undefined
}

/** The third argument of a Worker's fetch handler. */
export interface WorkerContext {
  waitUntil?(work: Promise<unknown>): void
}

/** Takes a request of any framework and says what to answer. */
export type Receive = (input: ReceiveInput) => Promise<ReceiveAnswer>
