import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { MODES, type Mode } from '@runbell/sdk/contract'
import { ChainCheck, type ChainVerdict } from '../../core/audit/check-chain.ts'
import { CliError, EXIT } from '../cli-error.ts'
import { printLine } from '../output.ts'
import { openAuditLog, type AuditLog, type SourceOptions } from './audit-source.ts'

export interface VerifyOptions extends SourceOptions {
  expect?: string
  json?: boolean
}

interface Head {
  mode: Mode
  seq: number
  hash: string
}

export async function verifyLog(options: VerifyOptions): Promise<number> {
  const expected = readExpected(options.expect)
  const log = await openAuditLog(options)
  try {
    const verdicts = await checkLog(log, expected)
    for (const [mode, verdict] of verdicts) {
      if (options.json === true) printLine(JSON.stringify({ log: log.name, mode, ...verdict }))
      else print(log.name, mode, verdict)
    }
    return verdicts.every(([, { ok }]) => ok) ? EXIT.ok : EXIT.failed
  } finally {
    await log.close()
  }
}

/** Whose chain a line is in: nothing before it in a line can look like this. */
const MODE = /"mode":"(live|test)"/
const PROGRESS = 100_000

async function checkLog({ lines }: AuditLog, expected: Head | null): Promise<[Mode, ChainVerdict][]> {
  const chains = MODES.map((mode) => ({
    mode,
    check: new ChainCheck({ sha256, expect: expected?.mode === mode ? expected : null }),
    used: expected?.mode === mode,
  }))
  let read = 0
  for await (const line of lines) {
    if (line === '') continue
    const mode = MODE.exec(line)?.[1]
    // What is no line of a log spoils whichever chain it is counted to.
    for (const chain of chains.filter((one) => mode === undefined || one.mode === mode)) {
      chain.check.add(line)
      chain.used = true
    }
    if (++read % PROGRESS === 0) process.stderr.write(`checked ${read} entries\n`)
  }
  return chains.filter(({ used }) => used).map(({ mode, check }) => [mode, check.end()])
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}

function print(name: string, mode: Mode, verdict: ChainVerdict): void {
  if (!verdict.ok) {
    const which = verdict.seq === null ? 'a line' : `entry ${verdict.seq}`
    process.stderr.write(`runbell: ${name}: the ${mode} audit log was changed or damaged: ${which} ${verdict.reason}\n`)
  } else if (verdict.head !== null) {
    const { entries, from, head } = verdict
    printLine(
      `${mode}: ${entries} entries from ${from} on are as they were made; head ${mode}:${head.seq}:${head.hash}`,
    )
  }
}

function readExpected(text: string | undefined): Head | null {
  if (text === undefined) return null
  const match = /^(live|test):(\d{1,15}):([0-9a-f]{64})$/.exec(text)
  if (match === null) {
    throw new CliError('--expect is a head as verify prints it: mode, number and hash with colons between', EXIT.usage)
  }
  return { mode: match[1] as Mode, seq: Number(match[2]), hash: match[3] as string }
}

export async function exportLog(options: SourceOptions): Promise<number> {
  const log = await openAuditLog(options)
  try {
    for await (const line of log.lines) {
      if (line === '' || process.stdout.write(`${line}\n`)) continue
      await once(process.stdout, 'drain')
    }
    return EXIT.ok
  } finally {
    await log.close()
  }
}
