import { notWritten } from './not-written.ts'

export const findDataKeys = notWritten('findDataKeys')
export const listDataKeys = notWritten('listDataKeys')
export const putDataKey = notWritten('putDataKey')
export const rewrapDataKeys = notWritten('rewrapDataKeys')
