import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** Lines of a stream, and a way to wait for one. */
export interface Lines {
  all: string[]
  /** The first line that matches, also one that was there before. */
  find(pattern: RegExp): Promise<string>
}

export interface CliProcess {
  stdout: Lines
  stderr: Lines
  kill(signal: NodeJS.Signals): void
  /** The exit code; with everything it printed read. */
  exit: Promise<number | null>
}

const BIN = fileURLToPath(new URL('../../../bin/runbell.mjs', import.meta.url))
/** Compiled code that starts share: these tests start dozens of processes. */
const NODE_COMPILE_CACHE = join(tmpdir(), 'runbell-compile-cache')
const ENVIRONMENT = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('RUNBELL_'))),
  NODE_COMPILE_CACHE,
  RUNBELL_MASTER_KEY: Buffer.alloc(32, 'runbell tests').toString('base64'),
  RUNBELL_LIMIT_FREE_BYTES: '4194304',
}

/** Runs `runbell`; the process ends with the test at the latest. */
export function runCli(args: string[], env: Record<string, string> = {}): CliProcess {
  return runNode([BIN, ...args], env)
}

export function runNode(args: string[], env: Record<string, string> = {}): CliProcess {
  const child = spawn(process.execPath, ['--conditions=runbell-source', ...args], {
    env: { ...ENVIRONMENT, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const exit = once(child, 'close').then(([code]) => code as number | null)
  return {
    stdout: linesOf(child.stdout),
    stderr: linesOf(child.stderr),
    kill: (signal) => void child.kill(signal),
    exit,
  }
}

function linesOf(stream: Readable): Lines {
  const all: string[] = []
  const waiting = new Set<{ pattern: RegExp; found(line: string): void; ended(): void }>()
  const reader = createInterface({ input: stream })
  let closed = false
  reader.on('line', (line) => {
    all.push(line)
    for (const waiter of waiting) if (waiter.pattern.test(line)) waiter.found(line)
  })
  reader.on('close', () => {
    closed = true
    for (const waiter of waiting) waiter.ended()
  })
  return {
    all,
    find(pattern) {
      return new Promise((resolve, reject) => {
        const ended = () => reject(new Error(`it ended without a line like ${pattern}:\n${all.join('\n')}`))
        const found = all.find((line) => pattern.test(line))
        if (found !== undefined) resolve(found)
        else if (closed) ended()
        else waiting.add({ pattern, found: resolve, ended })
      })
    },
  }
}

export interface ReadyLine {
  ready: true
  url: string
  mode: string
  database: string
  version: string
  api_key: string
  inbox_url: string
}

/** The ready line of a server that was started with `--json`. */
export async function readyLine(server: CliProcess): Promise<ReadyLine> {
  return JSON.parse(await server.stdout.find(/./)) as ReadyLine
}

/** A folder that goes with the test. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'runbell-test-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true, maxRetries: 3 }))
  return path
}

/** Asks the API, and returns the status of its answer. */
export async function ask(url: string, key: string, path: string, body?: unknown): Promise<number> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const init = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) }
  const response = await fetch(new URL(path, url), init)
  await response.arrayBuffer()
  return response.status
}

/** An event that any server takes. */
export const EVENT = { type: 'agent.run.started', run_id: 'run_1', agent: { id: 'agent' }, data: { status: 'running' } }
