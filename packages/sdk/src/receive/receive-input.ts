import type { RawBody, RequestHeaders } from '../signing/index.ts'
import type { ReceiveAnswer } from './answer.ts'

export interface ReceiveInput {
  /** Anything but POST is answered with 405. @default "POST" */
  method?: string | undefined
  headers: RequestHeaders
  /** The raw body. */
  body: RawBody
}

/** Takes a request of any framework and says what to answer. */
export type Receive = (input: ReceiveInput) => Promise<ReceiveAnswer>
