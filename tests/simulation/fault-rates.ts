/** How often each thing goes wrong, as a share from 0 to 1. */
export interface FaultRates {
  /** A verb fails before anything happened. */
  storeBefore: number
  /** A verb's answer is lost after its commit. */
  storeAfter: number
  connectFailed: number
  /** The receiver has the request, its answer never arrives. */
  answerLost: number
  receiverFails: number
  /** Our own fault, before anything was sent. */
  ownFault: number
}

export const NO_FAULTS: FaultRates = {
  storeBefore: 0,
  storeAfter: 0,
  connectFailed: 0,
  answerLost: 0,
  receiverFails: 0,
  ownFault: 0,
}
