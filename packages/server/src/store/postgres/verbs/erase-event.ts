import { notWritten } from './not-written.ts'

export const eraseEvent = notWritten('eraseEvent')
