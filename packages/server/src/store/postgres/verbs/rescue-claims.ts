import { notWritten } from './not-written.ts'

export const rescueClaims = notWritten('rescueClaims')
