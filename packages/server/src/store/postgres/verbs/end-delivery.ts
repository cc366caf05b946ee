import { notWritten } from './not-written.ts'

export const cancelDelivery = notWritten('cancelDelivery')
export const discardDeadLetter = notWritten('discardDeadLetter')
