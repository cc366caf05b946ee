import { notWritten } from './not-written.ts'

export const findDueEndpoints = notWritten('findDueEndpoints')
