import { afterEach, beforeEach, vi } from 'vitest'
import { main } from '../../main.ts'

const printed = { out: '', err: '' }

/** Keeps what the commands of a test file print, and the server of whoever runs the tests out of them. */
export function captureOutput(): void {
  beforeEach(() => {
    for (const name of [
      'RUNBELL_URL',
      'RUNBELL_API_KEY',
      'RUNBELL_SECRET',
      'RUNBELL_DATA_DIR',
      'RUNBELL_DATABASE_URL',
    ]) {
      vi.stubEnv(name, undefined)
    }
    vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => ((printed.out += String(chunk)), true))
    vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => ((printed.err += String(chunk)), true))
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
  })
}

export interface Ran {
  code: number
  out: string
  err: string
}

/** Runs a command in this process: a process of its own costs a second. */
export async function runHere(...args: string[]): Promise<Ran> {
  Object.assign(printed, { out: '', err: '' })
  const code = await main(args)
  return { code, out: printed.out.trimEnd(), err: printed.err.trimEnd() }
}
