import { notWritten } from './not-written.ts'

export const releaseClaims = notWritten('releaseClaims')
export const findClaims = notWritten('findClaims')
