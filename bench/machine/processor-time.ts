import { readdirSync, readFileSync } from 'node:fs'

/*
 * Processor time as Linux counts it. Elsewhere nothing of this is known: then every figure is `NaN`, and no round is discarded.
 */

/** `USER_HZ`: what /proc counts in, on every machine that Node runs on. */
const TICK_MICROS = 10_000

/** Fields of /proc/PID/stat behind the name of the process, which may contain anything. */
function statOf(pid: string | number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

/** Microseconds that all processors of the machine were busy, or taken away by its host, since it was started. */
export function busyMicros(): number {
  try {
    const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (
      readFileSync('/proc/stat', 'utf8').split('\n')[0] as string
    )
      .split(/\s+/)
      .map(Number)
    return (user + nice + system + irq + softirq + steal) * TICK_MICROS
  } catch {
    return Number.NaN
  }
}

/** Microseconds of processor time of this process and all that it has started, those that have ended included. */
export function ownMicros(): number {
  try {
    const children = new Map<number, number[]>()
    for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
      const parent = parentOf(name)
      children.set(parent, [...(children.get(parent) ?? []), Number(name)])
    }
    const sum = (pid: number): number =>
      microsOf(pid) + (children.get(pid) ?? []).reduce((total, child) => total + sum(child), 0)
    return sum(process.pid)
  } catch {
    return Number.NaN
  }
}

/** Microseconds of all processes of this name, such as the backends of a database on the same machine. */
export function microsOfProgram(program: string): number {
  try {
    const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))
    return pids.filter((pid) => nameOf(pid) === program).reduce((total, pid) => total + microsOf(Number(pid)), 0)
  } catch {
    return Number.NaN
  }
}

function nameOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return ''
  }
}

function parentOf(pid: string): number {
  try {
    return Number(statOf(pid)[1])
  } catch {
    return -1
  }
}

/** With what its ended children took. */
function microsOf(pid: number): number {
  try {
    const [user = 0, system = 0, childUser = 0, childSystem = 0] = statOf(pid).slice(11, 15).map(Number)
    return (user + system + childUser + childSystem) * TICK_MICROS
  } catch {
    return 0
  }
}
