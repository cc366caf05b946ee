import { notWritten } from './not-written.ts'

export const findApiKey = notWritten('findApiKey')
export const listApiKeys = notWritten('listApiKeys')
export const listPublicKeys = notWritten('listPublicKeys')
export const putApiKey = notWritten('putApiKey')
export const replaceServerSecret = notWritten('replaceServerSecret')
export const revokeApiKey = notWritten('revokeApiKey')
export const serverSecret = notWritten('serverSecret')
export const touchApiKeys = notWritten('touchApiKeys')
