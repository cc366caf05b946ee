import { notWritten } from './not-written.ts'

export const readActivity = notWritten('readActivity')
