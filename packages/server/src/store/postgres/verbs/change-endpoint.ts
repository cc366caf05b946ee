import { notWritten } from './not-written.ts'

export const changeEndpoint = notWritten('changeEndpoint')
