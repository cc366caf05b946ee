import { notWritten } from './not-written.ts'

export const loadEventTypes = notWritten('loadEventTypes')
export const putEventType = notWritten('putEventType')
