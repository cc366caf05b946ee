import { notWritten } from './not-written.ts'

export const createEndpoint = notWritten('createEndpoint')
export const findEndpoint = notWritten('findEndpoint')
export const listEndpoints = notWritten('listEndpoints')
export const loadEndpoints = notWritten('loadEndpoints')
export const loadMatchSet = notWritten('loadMatchSet')
