import { notWritten } from './not-written.ts'

export const acceptEvents = notWritten('acceptEvents')
