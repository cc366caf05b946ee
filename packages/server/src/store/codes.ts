import {
  ATTEMPT_OUTCOMES,
  ATTEMPT_TRIGGERS,
  DELIVERY_STATUSES,
  ENDPOINT_KINDS,
  ENDPOINT_STATUSES,
  MODES,
  type AttemptOutcomeName,
  type AttemptTrigger,
  type DeliveryStatus,
  type EndpointKind,
  type EndpointStatus,
  type Mode,
} from '@runbell/sdk/contract'

/** A number for each word of a vocabulary list, which may only ever grow at its end. */
function codesOf<Word extends string>(words: readonly Word[]) {
  const numbers = new Map(words.map((word, index) => [word, index]))
  return {
    encode: (word: Word): number => numbers.get(word) as number,
    decode: (code: unknown): Word => words[code as number] as Word,
  }
}

export const modes = codesOf<Mode>(MODES)
export const deliveryStatuses = codesOf<DeliveryStatus>(DELIVERY_STATUSES)
export const endpointStatuses = codesOf<EndpointStatus>(ENDPOINT_STATUSES)
export const endpointKinds = codesOf<EndpointKind>(ENDPOINT_KINDS)
export const outcomes = codesOf<AttemptOutcomeName>(ATTEMPT_OUTCOMES)
export const triggers = codesOf<AttemptTrigger>(ATTEMPT_TRIGGERS)
