import { notWritten } from './not-written.ts'

export const countPending = notWritten('countPending')
export const listTenants = notWritten('listTenants')
export const putTenant = notWritten('putTenant')
