import { notWritten } from './not-written.ts'

export const recordAttempts = notWritten('recordAttempts')
