import { notWritten } from './not-written.ts'

export const prune = notWritten('prune')
