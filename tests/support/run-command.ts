import { execFile } from 'node:child_process'
import { BIN, COMPILE_CACHE, FROM_SOURCE } from './server-process.ts'

/** How a command ended, and what it printed. */
export interface Ended {
  code: number
  stdout: string
  stderr: string
}

/** Runs `runbell` with these arguments to its end. */
export function runCommand(args: string[], environment: Record<string, string> = {}): Promise<Ended> {
  const env = { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE, ...environment }
  return new Promise((resolve) => {
    execFile(process.execPath, [FROM_SOURCE, BIN, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}
