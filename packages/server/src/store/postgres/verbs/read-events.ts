import { notWritten } from './not-written.ts'

export const findEvents = notWritten('findEvents')
export const listEvents = notWritten('listEvents')
export const readBody = notWritten('readBody')
