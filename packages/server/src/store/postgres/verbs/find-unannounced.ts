import { notWritten } from './not-written.ts'

export const findUnannounced = notWritten('findUnannounced')
