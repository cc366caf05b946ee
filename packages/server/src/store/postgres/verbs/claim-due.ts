import { notWritten } from './not-written.ts'

export const claimDue = notWritten('claimDue')
export const claimSuspect = notWritten('claimSuspect')
