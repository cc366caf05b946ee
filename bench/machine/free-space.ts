import { statfsSync } from 'node:fs'

/** What stays free for everybody else. */
const MARGIN_BYTES = 5 * 2 ** 30

/** @throws Error that says what is missing */
export function requireFreeSpace(folder: string, bytes: number, what: string): void {
  const { bavail, bsize } = statfsSync(folder)
  const free = bavail * bsize
  if (free >= bytes + MARGIN_BYTES) return
  throw new Error(
    `${what} takes about ${gigabytes(bytes)} and 5 GB are to stay free, but ${folder} has ${gigabytes(free)}: ` +
      'choose a smaller number, or name another folder with TMPDIR',
  )
}

function gigabytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GB`
}
