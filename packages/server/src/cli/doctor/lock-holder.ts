import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'

/** Which process has a file open, as far as this user may know; on Linux only. Its command line may hold passwords: not shown. */
export function findLockHolder(path: string): string | null {
  if (process.platform !== 'linux') return null
  try {
    const wanted = realpathSync(path)
    for (const pid of readdirSync('/proc')) {
      if (/^\d+$/.test(pid) && Number(pid) !== process.pid && hasOpen(pid, wanted)) {
        return `process ${pid} (${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()})`
      }
    }
  } catch {
    // No /proc, or the process is gone.
  }
  return null
}

function hasOpen(pid: string, wanted: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === wanted)
  } catch {
    // Another user's, or gone.
    return false
  }
}
