import { notWritten } from './not-written.ts'

export const pruneEndpoints = notWritten('pruneEndpoints')
export const reclaimSpace = notWritten('reclaimSpace')
