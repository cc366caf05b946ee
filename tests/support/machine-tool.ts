import { spawnSync } from 'node:child_process'

/**
 * Whether a program of this machine works; where it does not, the reason is printed, so that no test is skipped silently.
 * @param args of a call that only succeeds where the program can be used
 */
export function hasTool(usedFor: string, command: string, ...args: string[]): boolean {
  const { status, error } = spawnSync(command, args, { stdio: 'ignore', timeout: 10_000 })
  if (status === 0) return true
  console.warn(
    `skipped: ${usedFor}: ${command} ${args.join(' ')} ${error === undefined ? 'fails here' : error.message}`,
  )
  return false
}

/**
 * Sets a limit of a running process, such as `--fsize=1:`; only the soft one, so that it can be taken back.
 * @throws Error with what prlimit said
 */
export function limitProcess(pid: number | undefined, limit: string): void {
  const { status, stderr } = spawnSync('prlimit', ['--pid', String(pid), limit], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`prlimit ${limit}: ${stderr}`)
}
