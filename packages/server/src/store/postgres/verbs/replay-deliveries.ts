import { notWritten } from './not-written.ts'

export const replayDeliveries = notWritten('replayDeliveries')
