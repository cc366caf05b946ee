import { notWritten } from './not-written.ts'

export const findDelivery = notWritten('findDelivery')
export const listAttempts = notWritten('listAttempts')
export const listDeliveries = notWritten('listDeliveries')
